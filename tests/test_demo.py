"""`triage demo`, as a person starts it and ends it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import command_lines

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def triage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "--data-dir", str(folder), *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
    kept.pop("CLICKHOUSE_URL", None)
    return {**kept, "COLUMNS": "200"}


def numbers(summary: str) -> tuple[int, int, int, int]:
    match = re.search(r"([\d,]+) events fed, ([\d,]+) decided, ([\d,]+) decisions in the store, ([\d,]+) dead", summary)
    assert match is not None, summary
    fed, decided, stored, dead = (int(item.replace(",", "")) for item in match.groups())
    return fed, decided, stored, dead


def decisions_in_the_store(folder: Path) -> int:
    answer = triage(folder, "query", "--json")
    assert answer.returncode == 0, answer.stderr
    return sum(row["tickets"] for row in json.loads(answer.stdout) if row["dimension"] == "category")


def test_the_demo_decides_everything_it_feeds_and_goes_on_where_it_was(tmp_path: Path) -> None:
    first = triage(tmp_path / "data", "demo", "--tickets", "600", "--rate", "300")
    assert first.returncode == 0, first.stdout + first.stderr
    fed, decided, stored, dead = numbers(first.stdout)
    assert (fed, dead) == (600, 1)
    assert decided == stored == decisions_in_the_store(tmp_path / "data")
    assert 450 < decided < 600
    # The outage that the demo brings: what on-call would read.
    assert re.search(
        r"spike \w+ \d\d:\d\d \S+: \d+ tickets instead of [\d.]+, for .*words: .*\bvpn\b.*tickets: outage-",
        (" ".join(first.stdout.split())),
    ), first.stdout
    # Each incident pages PagerDuty's counterpart once, and is over there by the same key.
    lines = [line for line in first.stdout.splitlines() if line.startswith("  seen ")]
    assert lines, first.stdout
    for line in lines:
        assert re.search(r"paged [\d.]+ s later, once; resolved by the key [0-9a-f-]{36}$", line), first.stdout

    second = triage(tmp_path / "data", "demo", "--tickets", "50", "--rate", "300")
    assert second.returncode == 0, second.stdout + second.stderr
    assert decisions_in_the_store(tmp_path / "data") == stored + numbers(second.stdout)[2]

    third = triage(tmp_path / "data", "demo", "--tickets", "50", "--rate", "300", "--fresh")
    assert third.returncode == 0, third.stdout + third.stderr
    assert decisions_in_the_store(tmp_path / "data") == numbers(third.stdout)[2]


def test_ctrl_c_ends_the_demo_cleanly_and_its_store_stays_readable(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "--data-dir", str(tmp_path), "demo"],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if (found := re.search(r"([\d,]+) stored", line)) and found[1] != "0":
            break
    demo.send_signal(signal.SIGINT)
    rest = demo.stdout.read()
    assert demo.wait(60) == 0, rest
    demo.stdout.close()
    assert numbers(rest)[1] > 0
    assert decisions_in_the_store(tmp_path) > 0
    assert not children_of(tmp_path)


def children_of(folder: Path) -> list[str]:
    """Processes that name the demo's folder."""
    time.sleep(0.2)
    return [command for command in command_lines().values() if str(folder) in command]
