#!/usr/bin/env python3
"""The project's commands, on a machine that has Python 3.11+ and nothing else.

    python3 dev.py demo     set up, then run the pipeline on an embedded Kafka and ClickHouse
    python3 dev.py test     set up, then lint, types, layers and every test

The environment is made in `.venv` from the hashes in requirements.lock and made anew when that file changes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
OLDEST_PYTHON = (3, 11)

CHECKS: dict[str, list[list[str]]] = {
    "lint": [["ruff", "check", "."], ["ruff", "format", "--check", "."]],
    "types": [["pyright"]],
    "layers": [["lint-imports", "--no-cache"]],
}
# What each command runs, one tool after the other; further arguments go to the last.
COMMANDS: dict[str, list[list[str]]] = {
    "setup": [],
    "demo": [["triage", "demo"]],
    "triage": [["triage"]],
    "pytest": [["pytest"]],
    "bench-pipeline": [["python", "benchmarks/pipeline/run.py"]],
    "bench-latency": [["python", "benchmarks/pipeline/latency.py"]],
    "bench-learning": [["python", "benchmarks/learning/run.py"]],
    "bench-trends": [["python", "benchmarks/store/trends.py"]],
    "bench-spikes": [["python", "benchmarks/spikes/run.py"]],
    "stress": [["python", "tests/stress.py"]],
    "faults": [["python", "tests/faults/harness.py"]],
    "stress-learn": [["python", "tests/stress_learn.py"]],
    "stress-itsm": [["python", "tests/stress_itsm.py"]],
    "stress-table": [["python", "tests/stress_table.py"]],
    "format": [["ruff", "check", "--fix", "."], ["ruff", "format", "."]],
    "test": [*(command for commands in CHECKS.values() for command in commands), ["pytest"]],
    **CHECKS,
}


def main() -> int:
    """Run one command of the project; its exit code is ours."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=[*COMMANDS, "lock"])
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to the tool behind the command")
    given = parser.parse_args()
    set_up()
    if given.command == "lock":
        return lock()
    commands = COMMANDS[given.command]
    last = len(commands) - 1
    codes = [tool(*command, *(given.arguments if at == last else ())) for at, command in enumerate(commands)]
    return next((code for code in codes if code), 0)


def set_up() -> None:
    """Make `.venv` match requirements.lock; does nothing when it already does."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"triage needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    wanted = hashlib.sha256(LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = VENV / "triage.stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("setting up .venv (a few hundred MB the first time) ...", flush=True)
    if VENV.exists():
        shutil.rmtree(VENV)
    try:
        venv.create(VENV, with_pip=True)
    except subprocess.CalledProcessError:
        sys.exit("this Python cannot make a virtual environment with pip; on Debian: apt-get install python3-venv")
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "--progress-bar", "on", "--require-hashes", "-r", str(LOCK)], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], check=True)
    stamp.write_text(wanted)


def lock() -> int:
    """Write both lock files anew: every version and hash, for every platform and Python.

    deploy/requirements.lock is the image's: the same versions, without what only a developer's machine needs.
    """
    everything = ("--extra", "embedded", "--group", "dev", "--output-file", LOCK.name)
    image = ("--constraint", LOCK.name, "--output-file", "deploy/requirements.lock")
    for chosen in (everything, image):
        code = tool(
            *("uv", "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes"),
            *("--no-emit-index-url", "--no-header", "--quiet", *chosen),
        )
        if code:
            return code
        print(f"wrote {chosen[-1]}")
    print("the next command sets .venv up anew")
    return 0


def tool(name: str, *arguments: str) -> int:
    """Run an installed command in the project's root; Ctrl-C is the command's to handle."""
    process = subprocess.Popen([str(BIN / name), *arguments], cwd=ROOT)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    sys.exit(main())
