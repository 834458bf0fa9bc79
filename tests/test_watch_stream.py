"""Counting and the watch in the live stream: an outage is told of once, whatever dies in between."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, timedelta
from typing import Any

import numpy as np
import pytest
from examples import NOON, ticket_event
from pipeline import Pipeline

from models.watching import SpikeWatch
from schemas import topics
from schemas.alerts import Alert, AlertAnswered, AlertStage, AnswerKind, is_answer
from schemas.counts import BucketCounts
from schemas.decisions import Assignment, Decision
from schemas.events import EventKind, TicketEvent
from schemas.open_incidents import told_incidents
from sinks.notify.counterpart import served
from streams import wiring
from streams.alerts_cli import answer_record

pytestmark = pytest.mark.kafka

USUAL = (
    ("Invoice is wrong", "Hello, invoice 4711 charges us twice. Please refund the second amount."),
    ("Passwort vergessen", "Hallo, ich kann mich nicht mehr einloggen, bitte das Passwort zurücksetzen."),
    ("Netzwerkdrucker druckt nicht", "Guten Tag, der Drucker im dritten Stock druckt seit heute früh nicht mehr."),
)
OUTAGE = ("VPN tunnel drops", "The VPN connection drops every ten minutes, nobody at home can work.")
OUTAGE_AFTER, OUTAGE_FOR, LASTS = timedelta(hours=2), timedelta(minutes=12), timedelta(hours=3)


def tickets(seed: int = 1) -> list[TicketEvent]:
    """Three hours of tickets, two a minute, and from the third hour on twelve minutes of an outage, twelve a minute."""
    random = np.random.default_rng(seed)
    found: list[TicketEvent] = []
    for minute in range(LASTS // timedelta(minutes=1)):
        begins = timedelta(minutes=minute)
        texts = [USUAL[item] for item in random.integers(len(USUAL), size=random.poisson(2))]
        if OUTAGE_AFTER <= begins < OUTAGE_AFTER + OUTAGE_FOR:
            texts += [OUTAGE] * 12
        for second, (subject, body) in zip(sorted(random.integers(60, size=len(texts)).tolist()), texts, strict=True):
            number = len(found)
            found.append(
                ticket_event(
                    event_id=f"e-{number}",
                    ticket_id=f"T-{number}",
                    requester=f"user-{number}",
                    subject=subject,
                    body=body,
                    occurred_at=NOON + begins + timedelta(seconds=second),
                )
            )
    return found


def decoded(pipeline: Pipeline, topic: topics.Topic, word: type[Any]) -> list[Any]:
    return [pipeline.codec.decode(record.value, word) for record in pipeline.read(topic)]


def totals(pipeline: Pipeline) -> Counter[tuple[Any, str]]:
    """Tickets by bucket and series, each partition's newest record of a bucket alone."""
    newest: dict[tuple[int, Any], BucketCounts] = {}
    for record in decoded(pipeline, topics.COUNTS, BucketCounts):
        known = newest.get((record.partition, record.bucket))
        if record.counts and (known is None or record.through >= known.through):
            newest[record.partition, record.bucket] = record
    found: Counter[tuple[Any, str]] = Counter()
    for record in newest.values():
        found.update({(record.bucket, series): count for series, count in record.counts.items()})
    return found


def expected_totals(pipeline: Pipeline) -> Counter[tuple[Any, str]]:
    found: Counter[tuple[Any, str]] = Counter()
    decisions = {one.decision_id: one for one in decoded(pipeline, topics.DECISIONS, Decision)}
    for decision in decisions.values():
        at = decision.occurred_at
        bucket = at - timedelta(seconds=at.second % 10, microseconds=at.microsecond)
        for series in ("all=tickets", f"category={decision.category.label}", f"team={decision.team}"):
            found[bucket, series] += 1
    return found


def outage_is_told(pipeline: Pipeline) -> list[Alert]:
    """The words on the outage's incident, where it has been resolved; checked on the way."""
    words: list[Alert] = decoded(pipeline, topics.ALERTS, Alert)
    (incident,) = {word.incident_id for word in words}
    assert words[0].stage is AlertStage.OPENED
    began = NOON + OUTAGE_AFTER
    assert began - timedelta(minutes=5) <= words[0].opened_at <= began + timedelta(minutes=2)
    assert began < words[0].at <= began + timedelta(minutes=5)
    assert words[0].page
    last = words[-1]
    assert (last.stage, last.incident_id) == (AlertStage.RESOLVED, incident)
    assert {"vpn", "drops"} & {part.text for part in last.cause.terms}
    subjects = {event.ticket_id: event.subject for event in tickets()}
    assert {subjects[name] for name in last.cause.examples} == {OUTAGE[0]}
    assert last.cause.requesters > 50
    return words


def resolved(pipeline: Pipeline) -> bool:
    return any(word.stage is AlertStage.RESOLVED for word in decoded(pipeline, topics.ALERTS, Alert))


def fold_of_the_log(pipeline: Pipeline, *, skip: bytes | None = None) -> list[Alert]:
    """What the log of counts says without Kafka, process or snapshot."""
    owners = {name: label.team for name, label in wiring.load_taxonomy(pipeline.settings).categories.items()}
    watch = SpikeWatch(owners, topics.PARTITIONS)
    return [
        word
        for record in pipeline.read(topics.COUNTS)
        if record.value != skip
        for kind in (AlertAnswered if is_answer(record.key) else BucketCounts,)
        for word in watch.take(record.offset, pipeline.codec.decode(record.value, kind))
    ]


@pytest.mark.slow
def test_an_outage_becomes_one_incident_with_its_words_and_tickets_and_ends(pipeline: Pipeline) -> None:
    events = tickets()
    closed = [
        ticket_event(event_id=f"c-{item.event_id}", ticket_id=item.ticket_id, kind=kind, occurred_at=item.occurred_at)
        for item in events[:50]
        for kind in (EventKind.CLOSED,)
    ]
    pipeline.start_worker()
    pipeline.publish([*events, *closed])
    pipeline.wait_for("the end of the incident", lambda: resolved(pipeline), within_seconds=120)
    words = outage_is_told(pipeline)
    assert words == fold_of_the_log(pipeline)
    counted = totals(pipeline)
    assert {key: counted[key] for key in expected_totals(pipeline)} == expected_totals(pipeline)

    pipeline.wait_until_stored("alerts", len(words))
    pipeline.wait_until_stored("ticket_decisions", len(events))
    assert pipeline.ask_store("SELECT count() FROM alerts")[0][0] == len(words)
    ((stage, team, terms, examples),) = pipeline.ask_store("SELECT stage, team, terms.text, examples FROM incidents")
    assert (stage, team) == ("resolved", words[-1].team)
    assert tuple(terms) == tuple(part.text for part in words[-1].cause.terms)
    assert tuple(examples) == words[-1].cause.examples

    def stored_counts() -> dict[tuple[Any, str], int]:
        rows = pipeline.ask_store("SELECT bucket, series, tickets FROM counts")
        return {(bucket.replace(tzinfo=UTC), series): number for bucket, series, number in rows}

    pipeline.wait_for("all counts in the store", lambda: stored_counts() == dict(counted))
    for name in ("incidents", "alerts"):
        assert words[-1].subject in pipeline.triage("query", name).stdout


@pytest.mark.slow
@pytest.mark.parametrize("snapshot_seconds", ["0", "3600"], ids=["with snapshots", "from the log alone"])
def test_after_a_sigkill_in_the_middle_the_counts_and_alerts_are_those_of_the_log(
    pipeline: Pipeline, snapshot_seconds: str
) -> None:
    """The kill comes within the outage, while its incident is open."""
    events = tickets()
    within = [item for item in events if item.occurred_at < NOON + OUTAGE_AFTER + OUTAGE_FOR / 2]
    roles = ("--only", "triage", "--only", "count", "--only", "watch")
    worker = pipeline.start_worker(*roles, TRIAGE_SNAPSHOT_SECONDS=snapshot_seconds)
    pipeline.publish(within)
    pipeline.wait_for("the first alert", lambda: len(pipeline.read(topics.ALERTS)) > 0, within_seconds=120)
    worker.kill()
    assert not resolved(pipeline), "the worker was not killed in the middle"

    again = pipeline.start_worker(*roles, TRIAGE_SNAPSHOT_SECONDS=snapshot_seconds)
    pipeline.publish(events[len(within) :])
    pipeline.wait_for("the end of the incident", lambda: resolved(pipeline), within_seconds=120)
    if snapshot_seconds == "0":
        assert list((pipeline.settings.data_dir / "watch" / pipeline.settings.app_id).glob("watch@*"))
        assert len(pipeline.read(topics.COUNTING)) > topics.PARTITIONS
    else:
        assert "are taken in again" in again.log()
        assert "are counted again" in again.log()
    words = outage_is_told(pipeline)
    assert list(dict.fromkeys(map(repr, words))) == [repr(word) for word in fold_of_the_log(pipeline)]
    counted = totals(pipeline)
    assert {key: counted[key] for key in expected_totals(pipeline)} == expected_totals(pipeline)


def open_everywhere(pipeline: Pipeline) -> bool | None:
    """Whether incidents are open in all partitions of the events (True), in none (False), or in some (None)."""
    told = {
        record.partition: one
        for record in pipeline.read(topics.EVENTS)
        if (one := told_incidents(record.value, record.headers)) is not None
    }
    found = {bool(one.incidents) for one in told.values()}
    return found.pop() if len(told) == topics.PARTITIONS and len(found) == 1 else None


def decided_by_event(pipeline: Pipeline) -> dict[str, set[bytes]]:
    found: defaultdict[str, set[bytes]] = defaultdict(set)
    for record in pipeline.read(topics.DECISIONS):
        found[pipeline.codec.decode(record.value, Decision).event_id].add(record.value)
    return found


@pytest.mark.slow
def test_tickets_of_an_open_incident_name_it_and_go_to_its_owner_until_it_is_over(  # noqa: PLR0915  one story
    pipeline: Pipeline,
) -> None:
    events = tickets()
    half = NOON + OUTAGE_AFTER + OUTAGE_FOR / 2
    within = [item for item in events if item.occurred_at < half]
    rest = [item for item in events if half <= item.occurred_at < NOON + OUTAGE_AFTER + OUTAGE_FOR]
    subject, body = OUTAGE
    common = {"subject": subject, "body": USUAL[0][1], "occurred_at": half + timedelta(minutes=1)}
    moved = ticket_event(event_id="moved", ticket_id="T-moved", **common)
    kept = ticket_event(event_id="kept", ticket_id="T-kept", human_set={"team": "sales"}, **common)
    ended = ticket_event(
        event_id="ended",
        ticket_id="T-ended",
        subject=subject,
        body=body,
        occurred_at=NOON + LASTS - timedelta(minutes=1),
    )
    worker = pipeline.start_worker()
    pipeline.publish(within)
    pipeline.wait_for("open everywhere", lambda: open_everywhere(pipeline), within_seconds=120)
    worker.kill()
    pipeline.publish([*rest[: len(rest) // 2], moved, kept])
    worker = pipeline.start_worker()
    pipeline.publish(rest[len(rest) // 2 :])
    pipeline.wait_for("some decisions", lambda: len(decided_by_event(pipeline)) > len(within) + 5, within_seconds=120)
    worker.kill()
    worker = pipeline.start_worker()
    pipeline.publish(events[len(within) + len(rest) :])
    pipeline.wait_for("closed everywhere", lambda: open_everywhere(pipeline) is False, within_seconds=120)
    pipeline.publish([ended])
    number = len(events) + 3
    pipeline.wait_for("all decisions", lambda: len(decided_by_event(pipeline)) == number, within_seconds=120)
    # All of it is delivered once more, to a worker that knows nothing.
    pipeline.start_worker("--only", "triage", TRIAGE_APP_ID="another")
    pipeline.wait_for("all of it again", lambda: len(pipeline.read(topics.DECISIONS)) >= 2 * number, within_seconds=120)
    values = decided_by_event(pipeline)
    assert {len(some) for some in values.values()} == {1}, "an event was decided in two ways"
    by_event = {name: pipeline.codec.decode(some.pop(), Decision) for name, some in values.items()}
    (incident,) = {word.incident_id for word in decoded(pipeline, topics.ALERTS, Alert)}
    of_outage = {item.event_id for item in rest if item.subject == subject}
    assert {by_event[name].incident_id for name in of_outage} == {incident}
    assert {by_event[name].queue for name in of_outage} == {"network-ops"}
    others = {item.event_id for item in events if item.subject != subject} | {"ended"}
    assert {by_event[name].incident_id for name in others} == {None}
    one, other = by_event["moved"], by_event["kept"]
    assert (one.category.label, one.incident_id, one.queue) == ("billing", incident, "network-ops")
    assert (other.incident_id, other.queue) == (incident, "sales")
    assert any(
        pipeline.codec.decode(record.value, Assignment).incident_id == incident
        for record in pipeline.assignments()["network-ops"]
        if record.key == b"T-moved"
    )

    done = pipeline.triage("replay", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["verdicts"]["identical"] == number
    pipeline.wait_until_stored("ticket_decisions", number)
    rows = pipeline.ask_store("SELECT ticket_id, queue FROM ticket_decisions WHERE incident_id IS NOT NULL")
    named = {name for name, one in by_event.items() if one.incident_id is not None}
    assert of_outage | {"moved", "kept"} <= named
    assert {(by_event[name].ticket_id, by_event[name].queue) for name in named} == set(rows)
    assert len(rows) == len(named)
    shown = pipeline.triage("query", "incident_tickets").stdout
    assert subject in shown
    assert not pipeline.read(topics.DEAD_LETTERS)
    assert (
        f"open incidents: {incident} of network-ops"
        in pipeline.triage("tail", "tickets.events", "--all", "--no-follow").stdout
    )


@pytest.mark.slow
def test_what_people_answer_is_told_once_reaches_pagerduty_and_survives_a_sigkill(pipeline: Pipeline) -> None:
    none = pipeline.triage("alerts", "list")
    assert (none.returncode, none.stdout.strip()) == (0, "no incident is open")
    events = tickets()
    within = [item for item in events if item.occurred_at < NOON + OUTAGE_AFTER + OUTAGE_FOR / 2]
    with served() as receiver:
        environment: dict[str, Any] = {
            **receiver.environment("pagerduty"),
            "TRIAGE_NOTIFY_HOLD_BACK_AFTER_SECONDS": str(10 * 365 * 86_400),  # these tickets are of another year
            "TRIAGE_SNAPSHOT_SECONDS": "0",
        }
        worker = pipeline.start_worker(**environment)
        pipeline.publish(within)
        pipeline.wait_for("the page", lambda: len(receiver.incidents) == 1, within_seconds=120)
        (listed,) = json.loads(pipeline.triage("alerts", "list", "--json").stdout)
        name = listed["incident_id"]
        assert name == receiver.incidents[0].key
        assert name[:8] in pipeline.triage("alerts", "list").stdout

        taken = pipeline.triage("alerts", "ack", name[:6], "--by", "jo", "--reason", "on it")
        assert taken.returncode == 0, taken.stderr
        assert f"({name}) is acknowledged by jo: on it" in taken.stdout
        again = pipeline.triage("alerts", "ack", name, "--by", "ann")
        assert "nothing to do, it is acknowledged by jo" in again.stdout
        pipeline.wait_for("PagerDuty", lambda: receiver.incidents[0].status == "acknowledged")
        worker.kill()

        muted = AlertAnswered(
            answer_id="a-mute",
            incident_id=name,
            kind=AnswerKind.MUTED,
            actor="jo",
            mute_ms=7_200_000,
            occurred_at=NOON,
        )
        broken = answer_record(muted, pipeline.codec)._replace(value=b"\x00nonsense")
        pipeline.publish([answer_record(muted, pipeline.codec)] * 2 + [broken])
        pipeline.start_worker(**environment)
        # Of what is over by then, nobody is told that it was muted.
        pipeline.wait_for(
            "the mute", lambda: receiver.incidents[0].events.count("acknowledge") == 2, within_seconds=120
        )
        pipeline.publish(events[len(within) :])
        pipeline.wait_for("the end", lambda: receiver.incidents[0].status == "resolved", within_seconds=120)
        assert (receiver.incidents[0].events, receiver.refusals) == (["trigger", *["acknowledge"] * 2, "resolve"], [])
    words = outage_is_told(pipeline)
    assert list(dict.fromkeys(map(repr, words))) == [
        repr(word) for word in fold_of_the_log(pipeline, skip=broken.value)
    ]
    assert [answer.kind for answer in words[-1].answers] == [AnswerKind.ACKNOWLEDGED, AnswerKind.MUTED]
    assert len({repr(word) for word in words if word.stage is AlertStage.ACKNOWLEDGED}) == 2

    pipeline.wait_until_stored("alerts", len(words))
    ((stored,),) = pipeline.ask_store("SELECT answers.kind FROM incidents")
    assert list(stored) == ["acknowledged", "muted"]
    assert "acknowledged by jo, muted by jo" in pipeline.triage("query", "incidents").stdout
    (letter,) = pipeline.read(topics.DEAD_LETTERS)
    assert letter.value == broken.value
    for arguments, message in ((("ack", name), "is over since"), (("dismiss", "x"), "there is no open incident 'x'")):
        refused = pipeline.triage("alerts", *arguments)
        assert refused.returncode == 2
        assert message in refused.stderr
