"""The broker's jars: pinned by version and SHA-256, fetched from Maven Central once, cached per user."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from platformdirs import user_cache_path

from schemas.errors import BrokerFailed

KAFKA_VERSION = "4.3.1"
_PARALLEL_DOWNLOADS = 8
_TRIES = 3

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One pinned jar; `size` is in bytes."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        """Its name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


@cache
def pinned() -> tuple[Jar, ...]:
    """The jars of jars.lock."""
    lines = resources.files("streams.broker").joinpath("jars.lock").read_text(encoding="utf-8").splitlines()
    jars: list[Jar] = []
    for line in lines:
        if line.startswith("#"):
            continue
        coordinates, sha256, size = line.split()
        group, artifact, version = coordinates.split(":")
        jars.append(Jar(group=group, artifact=artifact, version=version, sha256=sha256, size=int(size)))
    return tuple(jars)


def default_cache() -> Path:
    """Where jars are kept for this user."""
    return user_cache_path("triage") / f"kafka-{KAFKA_VERSION}"


def ensure_jars(folder: Path | None = None, *, mirror: str | None = None, progress: Progress | None = None) -> Path:
    """The folder that holds every pinned jar, each checked against its SHA-256; what is missing is fetched.

    `mirror` is the URL of a Maven repository to use instead of Maven Central; `progress` is called only when there
    is something to fetch. Raises BrokerFailed where a jar cannot be had or is not the pinned one.
    """
    folder = folder or default_cache()
    missing = [jar for jar in pinned() if not _is_good(folder / jar.file_name, jar)]
    if not missing:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    total, done = sum(jar.size for jar in missing), 0
    report = progress or (lambda _done, _total: None)
    report(0, total)
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix="fetching-") as scratch,
        ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool,
    ):
        fetches = {pool.submit(_fetch, jar, folder, Path(scratch), mirror): jar for jar in missing}
        try:
            for fetched in as_completed(fetches):
                fetched.result()
                done += fetches[fetched].size
                report(done, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return folder


def _fetch(jar: Jar, folder: Path, scratch: Path, mirror: str | None) -> None:
    try:
        from jgo.maven import MavenContext  # noqa: PLC0415  part of the extra, and needed only here
    except ImportError as error:
        raise BrokerFailed(
            "the embedded broker needs its extra: pip install 'triage[embedded]', or set KAFKA_BOOTSTRAP_SERVERS "
            "to a cluster that runs"
        ) from error
    context = MavenContext(repo_cache=scratch, remote_repos={"mirror": mirror} if mirror else None, timeout=60)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    problem: Exception | None = None
    for _ in range(_TRIES):
        try:
            path = artifact.resolve()
        except Exception as error:  # noqa: BLE001  the resolver names no errors of its own
            problem = error
            continue
        if _is_good(path, jar):
            path.replace(folder / jar.file_name)
            return
        path.unlink()
        problem = BrokerFailed(f"the fetched file is not the pinned one (SHA-256 {jar.sha256})")
    raise BrokerFailed(
        f"{jar.group}:{jar.artifact}:{jar.version} cannot be fetched: {problem}. Check the network, or name a Maven "
        "repository that you reach in TRIAGE_MAVEN_MIRROR"
    ) from problem


def _is_good(path: Path, jar: Jar) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False
