"""The notify role end to end: alerts on a real Kafka, told by the real worker to a counterpart of each receiver."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from examples import alert
from pipeline import Pipeline
from processes import free_port

from schemas import topics
from schemas.alerts import Alert, AlertStage, SpikeSize
from sinks.notify.counterpart import Counterpart, Illness, is_firing, served
from streams import wiring
from streams.publish import Outgoing

pytestmark = pytest.mark.kafka

EVERYBODY = ("pagerduty", "slack", "alertmanager", "webhook")


@pytest.fixture
def counterpart() -> Iterator[Counterpart]:
    with served() as running:
        yield running


def incident(name: str, stage: AlertStage = AlertStage.OPENED, **changes: Any) -> Alert:
    """A word on the incident `name`, of now."""
    now = wiring.wall_clock()
    return alert(**{"incident_id": name, "stage": stage, "opened_at": now - timedelta(minutes=4), "at": now, **changes})


def publish(pipeline: Pipeline, *words: Alert) -> None:
    pipeline.publish(
        [
            Outgoing(topic=topics.ALERTS.name, key=word.incident_id.encode(), value=pipeline.codec.encode(word))
            for word in words
        ]
    )


def state(counterpart: Counterpart) -> dict[str, str]:
    """PagerDuty's incidents, which are to be one for each key."""
    assert len({one.key for one in counterpart.incidents}) == len(counterpart.incidents), counterpart.incidents
    return {one.key: one.status for one in counterpart.incidents}


def test_each_receiver_is_told_once_of_the_opening_and_once_of_the_end_though_both_come_twice(
    pipeline: Pipeline, counterpart: Counterpart
) -> None:
    worker = pipeline.start_worker("--only", "notify", **counterpart.environment(*EVERYBODY))
    opened = incident("i-1")
    publish(pipeline, opened, opened)
    pipeline.wait_for("the page", lambda: state(counterpart) == {"i-1": "triggered"})
    pipeline.wait_for(
        "the others", lambda: bool(counterpart.messages and counterpart.alerts and counterpart.deliveries)
    )
    over = incident("i-1", AlertStage.RESOLVED, opened_at=opened.opened_at)
    publish(pipeline, incident("i-1", AlertStage.UPDATED, opened_at=opened.opened_at), over, over)
    pipeline.wait_for("the end", lambda: state(counterpart) == {"i-1": "resolved"})
    pipeline.wait_for("Slack's end", lambda: len(counterpart.messages) >= 2)
    pipeline.wait_for(
        "Alertmanager's end",
        lambda: not any(is_firing(one, wiring.wall_clock()) for one in counterpart.alerts.values()),
    )
    assert worker.stop() == 0
    assert counterpart.refusals == []
    assert counterpart.incidents[0].events == ["trigger", "resolve"]
    assert len(counterpart.messages) == 2
    assert len(counterpart.alerts) == 1
    kinds = [bodies[0]["type"] for bodies in counterpart.deliveries.values()]
    assert kinds[0] == "triage.alert.opened"
    assert kinds[-1] == "triage.alert.resolved"
    assert len(set(counterpart.deliveries)) == len(kinds) <= 3


def test_a_receiver_that_is_ill_is_asked_again_when_it_says_and_the_others_do_not_wait(
    pipeline: Pipeline, counterpart: Counterpart
) -> None:
    with served() as ill:
        ill.illnesses += [Illness(429, {"Retry-After": "3"}), Illness(500)]
        environment = {**counterpart.environment("slack", "webhook"), **ill.environment("pagerduty")}
        worker = pipeline.start_worker("--only", "notify", **environment)
        publish(pipeline, incident("i-1"))
        pipeline.wait_for("Slack", lambda: len(counterpart.messages) == 1)
        assert state(ill) == {}, "the others are told while PagerDuty is ill"
        pipeline.wait_for("the page", lambda: state(ill) == {"i-1": "triggered"})
        (first, _), (second, _), (third, _) = ill.requests
        assert second - first >= 3, "Retry-After is heeded"
        assert third - second >= 0.9
        assert "pagerduty answers 429: ill; trying again in 3 s" in worker.log()


def test_a_receiver_that_does_not_listen_yet_is_told_once_it_does(pipeline: Pipeline) -> None:
    port = free_port()
    later = Counterpart()
    later.url = f"http://127.0.0.1:{port}"
    worker = pipeline.start_worker("--only", "notify", **later.environment("pagerduty"))
    publish(pipeline, incident("i-1"))
    pipeline.wait_for("a try", lambda: "pagerduty does not answer: Connection refused" in worker.log())
    with served(port) as there:
        pipeline.wait_for("the page", lambda: state(there) == {"i-1": "triggered"})


def test_what_a_receiver_refuses_is_a_dead_letter_with_its_answer_and_the_next_alert_goes_on(
    pipeline: Pipeline, counterpart: Counterpart
) -> None:
    counterpart.illnesses.append(Illness(400, body='{"status":"invalid event"}'))
    worker = pipeline.start_worker("--only", "notify", **counterpart.environment("pagerduty"))
    # One partition: what comes second waits for what comes first.
    records = [
        Outgoing(topics.ALERTS.name, word.incident_id.encode(), pipeline.codec.encode(word), partition=3)
        for word in (incident("refused"), incident("good"))
    ]
    broken = Outgoing(topics.ALERTS.name, b"broken", b"\x00nonsense", partition=3)
    pipeline.publish([records[0], broken, Outgoing(topics.ALERTS.name, b"gone", None, partition=3), records[1]])
    pipeline.wait_for("the page", lambda: state(counterpart) == {"good": "triggered"})
    refused, unreadable = pipeline.read(topics.DEAD_LETTERS)
    headers = dict(refused.headers)
    assert (refused.key, refused.value) == (b"refused", records[0].value)
    assert headers["triage_stage"] == b"notify"
    assert headers["__streams.errors.exception"] == b"schemas.errors.ReceiverRefused"
    assert headers["__streams.errors.message"] == b'pagerduty answers 400: {"status":"invalid event"}'
    assert dict(unreadable.headers)["triage_stage"] == b"notify"
    assert worker.stop() == 0

    sent = len(counterpart.requests)
    pipeline.start_worker("--only", "notify", **counterpart.environment("pagerduty"))
    publish(pipeline, incident("next"))
    pipeline.wait_for("the next", lambda: "next" in state(counterpart))
    assert len(counterpart.requests) == sent + 1, "what was refused is committed, too"


def test_what_was_refused_is_told_as_it_stands_once_it_is_redriven(
    pipeline: Pipeline, counterpart: Counterpart
) -> None:
    counterpart.illnesses.append(Illness(400, body="wrong key"))
    environment = counterpart.environment("pagerduty")
    worker = pipeline.start_worker("--only", "notify", **environment)
    publish(pipeline, incident("i-1"), incident("over"))
    pipeline.wait_for("the letter", lambda: len(pipeline.read(topics.DEAD_LETTERS)) == 1)
    refused = pipeline.read(topics.DEAD_LETTERS)[0].key.decode()
    (taken,) = {"i-1", "over"} - {refused}
    pipeline.wait_for("the other", lambda: state(counterpart) == {taken: "triggered"})
    assert worker.stop() == 0

    # The key is mended; the incident has gone on meanwhile.
    worker = pipeline.start_worker("--only", "notify", **environment)
    newest = incident(refused, AlertStage.UPDATED, size=SpikeSize(observed=999, expected=12, score=40))
    publish(pipeline, newest)
    pipeline.wait_for("the update", lambda: "it was told when it began" in worker.log())
    assert refused not in state(counterpart)
    redriven = pipeline.triage("deadletters", "redrive", "--stage", "notify", "--yes")
    assert redriven.returncode == 0, redriven.stderr
    pipeline.wait_for("the page", lambda: state(counterpart) == {taken: "triggered", refused: "triggered"})
    (late,) = [one for one in counterpart.incidents if one.key == refused]
    assert "999 tickets" in late.payload["summary"]


def test_a_worker_killed_between_sending_and_committing_leaves_one_incident(
    pipeline: Pipeline, counterpart: Counterpart
) -> None:
    counterpart.answer_after = 30.0
    environment = counterpart.environment("pagerduty", "webhook")
    worker = pipeline.start_worker("--only", "notify", **environment)
    publish(pipeline, incident("i-1"))
    pipeline.wait_for(
        "the request", lambda: state(counterpart) == {"i-1": "triggered"} and bool(counterpart.deliveries)
    )
    worker.kill()
    counterpart.answer_after = 0.0
    pipeline.start_worker("--only", "notify", **environment)
    pipeline.wait_for(
        "both again",
        lambda: (
            counterpart.incidents[0].events == ["trigger", "trigger"]
            and [len(repeats) for repeats in counterpart.deliveries.values()] == [2]
        ),
    )
    publish(pipeline, incident("i-1", AlertStage.RESOLVED))
    pipeline.wait_for("the end", lambda: state(counterpart) == {"i-1": "resolved"})


def test_nobody_is_woken_for_what_was_over_before_the_receiver_was_back_nor_for_what_is_old(
    pipeline: Pipeline, counterpart: Counterpart
) -> None:
    counterpart.illnesses += [Illness(503)] * 4
    old = wiring.wall_clock() - timedelta(hours=3)
    words = [
        incident("over"),
        incident("old", at=old, opened_at=old - timedelta(minutes=4)),
        incident("open"),
    ]
    worker = pipeline.start_worker("--only", "notify", **counterpart.environment("pagerduty"))
    pipeline.publish(
        [
            Outgoing(topics.ALERTS.name, word.incident_id.encode(), pipeline.codec.encode(word), partition=1)
            for word in words
        ]
    )
    pipeline.wait_for("the first try", lambda: len(counterpart.requests) >= 1)
    over = incident("over", AlertStage.RESOLVED)
    pipeline.publish([Outgoing(topics.ALERTS.name, b"over", pipeline.codec.encode(over), partition=1)])
    pipeline.wait_for("the open one", lambda: state(counterpart) == {"open": "triggered"})
    pipeline.wait_for("the end of the other", lambda: "nobody was told that it began" in worker.log())
    assert "pagerduty is not told of over (opened): it is over already" in worker.log()
    assert "pagerduty is not told of old (opened): it is older than 60 min" in worker.log()
    assert state(counterpart) == {"open": "triggered"}


def test_alertmanager_hears_of_an_open_incident_again_and_again_from_the_next_worker_too(
    pipeline: Pipeline, counterpart: Counterpart
) -> None:
    environment = {**counterpart.environment("alertmanager"), "TRIAGE_NOTIFY_RESEND_EVERY_SECONDS": "1"}
    worker = pipeline.start_worker("--only", "notify", **environment)
    publish(pipeline, incident("i-1"))
    pipeline.wait_for("four tellings", lambda: len(counterpart.tellings) >= 4)
    assert worker.stop() == 0
    told = len(counterpart.tellings)
    pipeline.start_worker("--only", "notify", **environment)
    pipeline.wait_for("tellings of the next worker", lambda: len(counterpart.tellings) >= told + 2)
    ends = [datetime.fromisoformat(one["endsAt"]) for one in counterpart.tellings]
    assert ends == sorted(set(ends)), "each telling moves the end"
    publish(pipeline, incident("i-1", AlertStage.RESOLVED))
    pipeline.wait_for("the end", lambda: not is_firing(counterpart.tellings[-1], wiring.wall_clock()))
    over = len(counterpart.tellings)
    time.sleep(2.5)  # more than two resends: that nothing comes can only be waited for
    assert len(counterpart.tellings) == over


def test_without_a_receiver_the_role_says_so_once_and_idles(pipeline: Pipeline) -> None:
    worker = pipeline.start_worker("--only", "notify")
    assert worker.log().count("no receiver of alerts is set (TRIAGE_NOTIFY_*)") == 1
    assert worker.process.poll() is None
    assert worker.stop() == 0
