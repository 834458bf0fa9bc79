"""The main path end to end, on a real Kafka and the real ClickHouse engine."""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from examples import NOON, ticket_event
from pipeline import Pipeline, at

from models.decide import decision_id
from schemas import topics
from schemas.decisions import Assignment, Decision
from schemas.events import EventKind, TicketEvent
from streams.feed import outgoing
from streams.publish import Outgoing

pytestmark = pytest.mark.kafka

TEXTS = (
    ("Netzwerkdrucker druckt nicht", "Guten Tag, der Drucker im dritten Stock druckt seit heute früh nicht mehr."),
    ("Passwort vergessen", "Hallo, ich kann mich nicht mehr einloggen, bitte das Passwort zurücksetzen."),
    ("Invoice is wrong", "Hello, invoice 4711 charges us twice. Please refund the second amount."),
    ("VPN drops", "The VPN connection drops every ten minutes, this is very annoying!"),
    ("Server down", "URGENT: the production server is down, nobody can work."),
    ("Frage", "Wie kann ich meine Signatur ändern?"),
)


def tickets(number: int) -> list[TicketEvent]:
    return [
        ticket_event(
            event_id=f"e-{item}",
            ticket_id=f"T-{item}",
            subject=f"{TEXTS[item % len(TEXTS)][0]} {item}",
            body=TEXTS[item % len(TEXTS)][1],
            occurred_at=NOON + timedelta(seconds=item),
        )
        for item in range(number)
    ]


def decided_once(pipeline: Pipeline, events: list[TicketEvent]) -> None:
    """Every event has its decision, one assignment on its queue's topic, and one row."""
    expected = {decision_id(event) for event in events}
    decisions = [pipeline.codec.decode(record.value, Decision) for record in pipeline.read(topics.DECISIONS)]
    assert {decision.decision_id for decision in decisions} == expected
    assigned = {
        queue: [pipeline.codec.decode(record.value, Assignment) for record in records]
        for queue, records in pipeline.assignments().items()
    }
    assert {item.decision_id for items in assigned.values() for item in items} == expected
    queue_of = {decision.decision_id: decision.queue for decision in decisions}
    for queue, items in assigned.items():
        assert all(item.queue == queue == queue_of[item.decision_id] for item in items)
    rows = pipeline.ask_store("SELECT count(), count(DISTINCT decision_id) FROM ticket_decisions")
    assert rows == ((len(events), len(events)),)
    assert pipeline.ask_store("SELECT count(), count(DISTINCT event_id) FROM ticket_events")[0][0] == len(events)


@pytest.mark.slow
def test_ten_thousand_tickets_are_decided_assigned_and_stored_and_a_malformed_one_stops_nothing(
    pipeline: Pipeline,
) -> None:
    events = tickets(10_000)
    broken = Outgoing(
        topic=topics.EVENTS.name, key=b"T-broken", value=b'{"subject": "not avro"}', headers=[("ce_id", b"broken")]
    )
    worker = pipeline.start_worker()
    pipeline.publish([*events[:5_000], broken, *events[5_000:]])
    pipeline.wait_until_stored("ticket_decisions", 10_000)
    pipeline.wait_until_stored("dead_letters", 1)

    decided_once(pipeline, events)
    assert len(pipeline.read(topics.DECISIONS)) == 10_000
    assert sum(len(records) for records in pipeline.assignments().values()) == 10_000

    (letter,) = pipeline.read(topics.DEAD_LETTERS)
    (origin,) = [record for record in pipeline.read(topics.EVENTS) if record.key == b"T-broken"]
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (b"T-broken", b'{"subject": "not avro"}')
    assert headers["ce_id"] == b"broken"
    assert headers["__streams.errors.topic"] == b"tickets.events.v1"
    assert int(headers["__streams.errors.partition"]) == origin.partition
    assert int(headers["__streams.errors.offset"]) == origin.offset
    assert headers["__streams.errors.exception"] == b"schemas.errors.NotFramed"
    assert b"0x7b" in headers["__streams.errors.message"]
    assert b"Traceback" in headers["__streams.errors.stacktrace"]
    assert headers["triage_stage"] == b"decode"
    assert pipeline.ask_store("SELECT src_offset, value FROM dead_letters") == ((origin.offset, origin.value.decode()),)
    assert worker.stop() == 0


def feed_around(killed: threading.Event, pipeline: Pipeline, events: Sequence[TicketEvent], piece: int = 500) -> None:
    """Publish `events` in pieces, of which the last comes after `killed` alone."""
    for start in range(0, len(events), piece):
        if start + piece >= len(events):
            killed.wait()
        pipeline.publish(events[start : start + piece])


@pytest.mark.slow
def test_after_a_sigkill_in_the_middle_every_ticket_is_decided_and_stored_once(pipeline: Pipeline) -> None:
    events = tickets(10_000)
    worker = pipeline.start_worker()
    # Tickets keep coming until the kill and after it, so that it is in the middle however fast the worker is.
    killed = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        feeding = pool.submit(feed_around, killed, pipeline, events)
        try:
            pipeline.wait_until_stored("ticket_decisions", 1)
            worker.kill()
            already = len(pipeline.read(topics.DECISIONS))
        finally:
            killed.set()
        feeding.result()
    assert 0 < already < 10_000, "the worker was not killed in the middle"

    pipeline.start_worker()
    pipeline.wait_until_stored("ticket_decisions", 10_000, within_seconds=240)
    pipeline.wait_until_stored("ticket_events", 10_000)
    decided_once(pipeline, events)
    # What was emitted twice is the same decision, byte for byte.
    emitted: dict[str, set[bytes]] = {}
    for record in pipeline.read(topics.DECISIONS):
        emitted.setdefault(pipeline.codec.decode(record.value, Decision).decision_id, set()).add(record.value)
    assert {len(values) for values in emitted.values()} == {1}


def test_decisions_stand_in_the_partition_and_order_of_their_events_with_cloudevents_headers(
    pipeline: Pipeline,
) -> None:
    events = tickets(200)
    records = [outgoing(event, pipeline.codec) for event in events]
    trace = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    pipeline.start_worker("--only", "triage")
    pipeline.publish(
        [Outgoing(topic=item.topic, key=item.key, value=item.value, headers=[*item.headers, trace]) for item in records]
    )
    pipeline.wait_for("200 decisions", lambda: len(pipeline.read(topics.DECISIONS)) >= 200)
    event_places = [at(record) for record in pipeline.read(topics.EVENTS)]
    decisions = pipeline.read(topics.DECISIONS)
    decoded = [pipeline.codec.decode(record.value, Decision) for record in decisions]
    assert [decision.event for decision in decoded] == event_places
    assert all(record.partition == item.event.partition for record, item in zip(decisions, decoded, strict=True))
    headers = dict(decisions[0].headers)
    assert headers["ce_id"] == decoded[0].decision_id.encode()
    assert headers["ce_type"] == b"triage.decision.made.v1"
    assert headers["ce_specversion"] == b"1.0"
    assert headers["traceparent"] == trace[1]
    assert int(headers["triage_latency_ms"]) >= 0


def test_every_kind_of_bad_event_is_dead_lettered_and_the_good_ones_between_are_decided(pipeline: Pipeline) -> None:
    good = tickets(3)
    value = pipeline.codec.encode(good[0])
    bad = [None, b"", value[:-3], b"\x00\x00\x00\x00\x07" + value[5:], value + b"!", os.urandom(50), b"\xff" * 5]
    records: list[TicketEvent | Outgoing] = [good[0]]
    records += [Outgoing(topic=topics.EVENTS.name, key=None, value=item, partition=2) for item in bad[:4]]
    records += [good[1]]
    records += [Outgoing(topic=topics.EVENTS.name, key=None, value=item) for item in bad[4:]]
    records += [good[2]]
    pipeline.start_worker()
    pipeline.publish(records)
    pipeline.wait_until_stored("ticket_decisions", 3)
    pipeline.wait_until_stored("dead_letters", len(bad))
    letters = pipeline.read(topics.DEAD_LETTERS)
    assert Counter(record.value for record in letters) == Counter(bad)
    assert all(dict(record.headers)["__streams.errors.message"] for record in letters)
    decided_once(pipeline, good)


def test_resolved_and_closed_tickets_are_stored_and_not_routed(pipeline: Pipeline) -> None:
    kinds = list(EventKind)
    events = [ticket_event(event_id=f"e-{kind}", kind=kind) for kind in kinds]
    pipeline.start_worker()
    pipeline.publish(events)
    pipeline.wait_until_stored("ticket_events", len(kinds))
    pipeline.wait_until_stored("ticket_decisions", 4)
    decided = {row[0] for row in pipeline.ask_store("SELECT kind FROM ticket_decisions")}
    assert decided == {"created", "message_added", "changed", "reopened"}


def test_feed_query_and_tail_work_while_the_worker_has_the_store_open(pipeline: Pipeline) -> None:
    pipeline.start_worker()
    rows = [
        {"id": 1, "title": "Drucker kaputt", "text": "Der Drucker ist kaputt.", "lang": "de", "tags": ["büro"]},
        {"id": 2, "title": "Refund", "text": "Please refund invoice 17.", "created_at": "2026-03-02T10:00:00Z"},
        {"id": 3},
    ]
    lines = "\n".join([*(json.dumps(row, ensure_ascii=False) for row in rows), "{broken", "[1]"])
    fed = pipeline.triage("feed", "-", "--source", "export", stdin=lines)
    assert fed.returncode == 3, fed.stderr
    assert "line 3: neither subject nor body" in fed.stderr
    assert "line 4: not JSON" in fed.stderr
    assert "line 5: a JSON list" in fed.stderr
    assert "3 rows were rejected" in fed.stderr
    pipeline.wait_until_stored("ticket_decisions", 2)

    table = pipeline.triage("query")
    assert table.returncode == 0, table.stderr
    for word in ("category", "priority", "language", "de", "en", "hardware", "billing"):
        assert word in table.stdout
    answer = json.loads(pipeline.triage("query", "--json").stdout)
    assert {"dimension": "language", "value": "de", "tickets": 1, "percent": 50.0} in answer

    tail = pipeline.triage("tail", "tickets.decisions.v1", "--no-follow", "--json")
    shown = [json.loads(line)["value"] for line in tail.stdout.splitlines()]
    assert {item["ticket_id"] for item in shown} == {"1", "2"}
    assert "Drucker kaputt" in pipeline.triage("tail", "tickets.ev", "--no-follow").stdout


def test_a_worker_without_kafka_or_topics_says_what_to_run(pipeline: Pipeline) -> None:
    away = pipeline.triage("--kafka", "127.0.0.1:9", "worker")
    assert away.returncode == 75
    assert "triage broker" in away.stderr
    asyncio.run(pipeline.delete_topics())
    without = pipeline.triage("worker")
    assert without.returncode == 1
    assert "Create them with: triage topics" in without.stderr
    assert pipeline.triage("topics", "--check").returncode == 1
    made = pipeline.triage("topics")
    assert made.returncode == 0, made.stderr
    assert "assignments.review.v1" in made.stdout
    again = pipeline.triage("topics", "--check")
    assert again.returncode == 0
    assert "as it should be" in again.stdout


def test_a_running_worker_tells_its_health_and_lag(kafka: str, tmp_path: Path) -> None:
    with Pipeline(kafka, tmp_path / "data", access={"TRIAGE_HEALTH_PORT": "0"}).with_topics() as pipeline:
        worker = pipeline.start_worker()
        pipeline.publish(tickets(20))
        pipeline.wait_until_stored("ticket_decisions", 20)
        found = re.search(r"health: (http://127\.0\.0\.1:\d+)/livez", worker.log())
        assert found, worker.log()

        def healthy(path: str) -> dict[str, object]:
            with urllib.request.urlopen(found[1] + path, timeout=5) as response:  # noqa: S310  on loopback
                return json.load(response)

        def done() -> bool:
            partitions = {"triage": 8, "archive": 41, "count": 8, "watch": 1, "learn": 8, "fold": 1, "learn-drift": 1}
            try:
                agents = healthy("/readyz")["agents"]
            except urllib.error.HTTPError:  # an agent that comes last has its partitions rebalanced yet
                return False
            return agents == {name: {"lag": 0, "partitions": number} for name, number in partitions.items()}

        pipeline.wait_for("no lag in /readyz", done)
        assert healthy("/livez")["status"] == healthy("/readyz")["status"] == "ok"
        assert worker.stop() == 0
