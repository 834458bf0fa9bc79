"""A short schedule of each stress run; `python3 dev.py stress` and `stress-table` run the long ones."""

from __future__ import annotations

import pytest
import stress
import stress_table

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_under_a_schedule_of_disturbances_nothing_is_lost_and_no_commit_passes_unfinished_work() -> None:
    report = stress.run(7, disturbances=len(stress.Disturbance), rate=100, say=print)
    assert sum(report.disturbances.values()) == len(stress.Disturbance)
    assert report.events > 1_000
    assert (report.without_output, report.problems) == (0, [])


def test_a_table_beside_a_batch_agent_recovers_exactly_after_kills(kafka: str) -> None:
    report = stress_table.run(kafka, kills=3, seed=7, say=print)
    assert report.problems == []
    assert len(set(report.recovered)) > 1, "nothing was counted between the kills"
