"""Lag, dead letters and service levels on a real Kafka and store: each told once, whoever measures, and its end."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from examples import ticket_event
from pipeline import Pipeline

from schemas import topics
from schemas.alerts import Alert, AlertKind, AlertStage
from schemas.events import EventKind
from sinks.notify.counterpart import served
from streams import wiring
from streams.publish import Outgoing

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

LIMITS = {
    "TRIAGE_ALERT_LAG_RECORDS": "100",
    "TRIAGE_ALERT_DEAD_LETTERS": "10",
    "TRIAGE_ALERT_SLA_TICKETS": "3",
    "TRIAGE_ALERT_AFTER_SECONDS": "2",
    "TRIAGE_ALERT_TEAM": "platform",
}

TRIAGE = "agent=triage"


def words(pipeline: Pipeline, kind: AlertKind) -> list[Alert]:
    found = [pipeline.codec.decode(record.value, Alert) for record in pipeline.read(topics.ALERTS)]
    return sorted((word for word in found if word.kind is kind), key=lambda word: word.at)


def stages(pipeline: Pipeline, kind: AlertKind) -> list[AlertStage]:
    """What was told of the one incident of this kind, but for updates; of lags, those of the triage agent."""
    found = [word for word in words(pipeline, kind) if kind is not AlertKind.CONSUMER_LAG or word.subject == TRIAGE]
    assert len({word.incident_id for word in found}) <= 1
    return [word.stage for word in found if word.stage is not AlertStage.UPDATED]


def test_lag_dead_letters_and_late_tickets_are_told_once_and_their_end_too(pipeline: Pipeline) -> None:
    lag, letters, late = AlertKind.CONSUMER_LAG, AlertKind.DEAD_LETTER_RATE, AlertKind.SLA_AT_RISK
    worker = pipeline.start_worker("--only", "triage")
    pipeline.publish([ticket_event(event_id="first", ticket_id="T-first")])
    pipeline.wait_for("a decision", lambda: len(pipeline.read(topics.DECISIONS)) == 1)
    assert worker.stop() == 0

    # Nobody decides: two watch, of whom one measures, and is killed.
    came = wiring.wall_clock() - timedelta(minutes=12)
    human = {"team": "network-ops", "priority": "P1"}
    waiting = [
        ticket_event(event_id=f"p-{number}", ticket_id=f"P-{number}", human_set=human, occurred_at=came)
        for number in range(3)
    ]
    broken = [Outgoing(topic=topics.EVENTS.name, key=b"x", value=b"nonsense %d" % number) for number in range(20)]
    many = [ticket_event(event_id=f"e-{number}", ticket_id=f"T-{number}") for number in range(200)]
    first = pipeline.start_worker("--only", "watch", **LIMITS)
    pipeline.start_worker("--only", "watch", **LIMITS)
    pipeline.publish([*waiting, *broken, *many])
    pipeline.wait_for("the lag", lambda: stages(pipeline, lag) == [AlertStage.OPENED])
    first.kill()
    (word,) = (item for item in words(pipeline, lag) if item.stage is AlertStage.OPENED)
    assert (word.subject, word.team, word.size.expected, word.page) == (TRIAGE, "platform", 100, True)
    assert word.size.observed == len(waiting) + len(broken) + len(many)
    refused = pipeline.triage("alerts", "mute", word.incident_id, "--for", "1h")
    assert refused.returncode == 2
    assert "takes no answer" in refused.stderr

    with served() as receiver:
        pipeline.start_worker(**LIMITS, **receiver.environment("pagerduty"))
        pipeline.wait_for("the end of the lag", lambda: stages(pipeline, lag)[1:] == [AlertStage.RESOLVED])
        pipeline.wait_for("the letters", lambda: stages(pipeline, letters) == [AlertStage.OPENED])
        pipeline.wait_for("the tickets", lambda: stages(pipeline, late) == [AlertStage.OPENED])
        (at_risk,) = words(pipeline, late)
        assert (at_risk.subject, at_risk.team, at_risk.size.observed) == ("team=network-ops", "network-ops", 3)
        assert set(at_risk.cause.examples) == {event.ticket_id for event in waiting}
        assert words(pipeline, letters)[0].size.observed == len(broken)
        pipeline.publish(
            [
                ticket_event(
                    event_id=f"r-{event.ticket_id}",
                    ticket_id=event.ticket_id,
                    kind=EventKind.RESOLVED,
                    occurred_at=wiring.wall_clock(),
                )
                for event in waiting
            ]
        )
        pipeline.wait_for("in time", lambda: stages(pipeline, late) == [AlertStage.OPENED, AlertStage.RESOLVED])
        over = {(lag, "resolved"), (letters, "triggered"), (late, "resolved")}

        def paged() -> set[tuple[AlertKind, str]]:
            told = [word for kind in (lag, letters, late) for word in words(pipeline, kind)]
            kinds = {word.incident_id: word.kind for word in told}
            return {(kinds[one.key], one.status) for one in receiver.incidents}

        # What was over, or beyond a team's pages, before it came to be told is not.
        pipeline.wait_for("PagerDuty", lambda: paged() <= over and (late, "resolved") in paged())
        assert receiver.refusals == []
        assert len({one.key for one in receiver.incidents}) == len(receiver.incidents)
    listed = json.loads(pipeline.triage("alerts", "list", "--json").stdout)
    assert {one["kind"] for one in listed} == {"dead_letter_rate"}
