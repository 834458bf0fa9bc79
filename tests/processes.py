"""The processes of this machine, from /proc: `ps` is not everywhere; and a port for one more."""

from __future__ import annotations

import socket
from pathlib import Path


def command_lines() -> dict[int, str]:
    """The command line of each running process, by process id."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # it has ended meanwhile
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
