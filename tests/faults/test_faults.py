"""A short schedule of the fault harness; `python3 dev.py faults` runs the long one."""

from __future__ import annotations

import harness
import pytest
from examples import ticket_event

from schemas import topics
from sinks.store import Store

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_whatever_is_killed_cut_off_or_frozen_every_event_counts_once_and_is_decided_again_alike() -> None:
    report = harness.run(7, kills=3, rate=60, say=print)
    assert set(report.faults) == set(harness.Fault)
    assert report.figures["ticket_decisions"] > 500
    assert report.problems == []


def test_while_clickhouse_is_away_nothing_is_lost_and_readiness_says_so() -> None:
    assert harness.outage(5, rate=60, say=print).problems == []


def test_a_worker_that_starts_while_clickhouse_is_away_decides_at_once_and_stores_later() -> None:
    report = harness.Report(0)
    with harness.stage(0, report) as (pipeline, store, _):
        store.kill()
        port = harness.free_port()
        worker = pipeline.start_worker(TRIAGE_HEALTH_PORT=str(port), **store.settings())
        assert "decisions go on" in worker.log()
        harness.expect_ready(report, port, ready=False, within=5)
        pipeline.publish([ticket_event(event_id=f"e-{number}") for number in range(20)])
        pipeline.wait_for("decisions", lambda: len(pipeline.read(topics.DECISIONS)) == 20)
        store.start()
        harness.expect_ready(report, port, ready=True, within=60)
        assert report.problems == []

        def stored() -> int:
            with Store(store.access()) as opened:
                return int(opened.query("SELECT count() FROM ticket_decisions").rows[0][0])

        pipeline.wait_for("rows", lambda: stored() == 20)
        assert worker.stop() == 0
