"""Runs one command and ends it when the process that asked for it is gone, however that one died.

The asking process holds the other end of this one's standard input. When it dies, even by SIGKILL, the pipe closes
and the command gets SIGTERM, then SIGKILL. Where the system can (Linux), the command also dies with this process.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 15.0
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Keep the command given as arguments; its exit code is ours."""
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)  # noqa: S603, PLW1509  no threads yet
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=_end_with_asker, args=(child,), daemon=True).start()
    return child.wait()


def _end_with_asker(child: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
