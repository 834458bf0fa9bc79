"""A short schedule of the fault harness; `python3 dev.py faults` runs the long one."""

from __future__ import annotations

import harness
import pytest

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_whatever_is_killed_cut_off_or_frozen_every_event_counts_once_and_is_decided_again_alike() -> None:
    report = harness.run(7, faults=len(harness.Fault), rate=60, say=print)
    assert set(report.faults) == set(harness.Fault)
    assert report.figures["ticket_decisions"] > 500
    assert report.problems == []


def test_while_clickhouse_is_away_nothing_is_lost_and_readiness_says_so() -> None:
    assert harness.outage(5, rate=60, say=print).problems == []
