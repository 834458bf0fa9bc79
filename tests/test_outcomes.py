"""What docs/failures.md says of single events and of services that fail, seen to be so."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import fastavro
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from examples import NOON, position, ticket_event
from pipeline import Pipeline, at
from test_giants import nothing_held, record, same_models
from test_registry import Counterpart, running

from models.decide import Models, decide, decision_id
from schemas import topics, words
from schemas.codec import Codec, to_json
from schemas.decisions import Decision
from schemas.errors import StoreRejected, StoreUnavailable
from schemas.events import TicketEvent
from sinks import store as store_module
from sinks.archive import Archive
from sinks.migrations import migrate
from sinks.rows import Row, event_row
from sinks.store import Store, StoreAccess
from streams.agents.archive import ArchiveAgent
from streams.agents.triage import TriageAgent
from streams.decoding import Decoder
from streams.publish import Outgoing, Publisher

ROOT = Path(__file__).parents[1]


def decisions(pipeline: Pipeline) -> list[Decision]:
    return [pipeline.codec.decode(item.value, Decision) for item in pipeline.read(topics.DECISIONS)]


@pytest.mark.kafka
def test_an_event_sent_twice_gets_one_decision_id_and_late_news_is_decided_as_it_comes(pipeline: Pipeline) -> None:
    event = ticket_event()
    earlier = ticket_event(event_id="e-0", occurred_at=NOON - timedelta(days=1))  # of the same ticket, sent later
    pipeline.start_worker()
    pipeline.publish([event, event, earlier])
    pipeline.wait_until_stored("ticket_events", 3)
    pipeline.wait_for("three decisions", lambda: len(decisions(pipeline)) == 3)
    first, second, third = decisions(pipeline)
    logged = [at(item) for item in pipeline.read(topics.EVENTS)]
    assert [first.event, second.event, third.event] == logged
    assert first.decision_id == second.decision_id == decision_id(event)
    shown = [to_json(item) for item in (first, second)]
    assert [{**item, "event": None} for item in shown] == [{**shown[0], "event": None}] * 2
    assert (third.decision_id, third.occurred_at) == (decision_id(earlier), earlier.occurred_at)
    # What is newest on the ticket is what its source says, not what came last.
    pipeline.wait_for(
        "the late one in the store",
        lambda: bool(pipeline.ask_store("SELECT count() FROM ticket_decisions WHERE event_id = 'e-0'")[0][0]),
    )
    assert pipeline.ask_store("SELECT event_id FROM ticket_decisions_latest") == ((event.event_id,),)


class Sent:
    """Stands where the publisher is, and keeps what it is given."""

    waiting_for = None

    def __init__(self) -> None:
        self.records: list[Outgoing] = []

    def enqueue(self, records: Iterable[Outgoing]) -> None:
        self.records += records

    async def flush(self) -> None:
        pass


async def test_a_clock_that_was_stepped_back_changes_no_decision_and_no_latency_is_negative(models: Models) -> None:
    codec = Codec()
    event = record(codec.encode(ticket_event()), timestamp=int(NOON.timestamp() * 1000))
    values: list[list[bytes | None]] = []
    for now in (NOON + timedelta(milliseconds=40), NOON - timedelta(hours=1)):
        sent = Sent()
        agent = TriageAgent(
            models=same_models(models),
            held=nothing_held(),
            codec=codec,
            decoder=Decoder(codec, None),
            publisher=cast("Publisher", sent),
            clock=lambda now=now: now,
        )
        await agent([event])
        values.append([item.value for item in sent.records])
        latency = dict(sent.records[0].headers or [])["triage_latency_ms"]
        assert latency == (b"40" if now > NOON else b"0")
    assert values[0] == values[1]
    assert values[0][0] == codec.encode(decide(ticket_event(), position(0), models))


def rows(first: int, end: int) -> list[Row]:
    return [event_row(ticket_event(event_id=str(number)), position(number)) for number in range(first, end)]


def test_a_clock_that_was_stepped_back_stores_each_row_once(engine_folder: Path) -> None:
    today = datetime.now(UTC).replace(microsecond=0)
    with Store(StoreAccess(url=f"chdb://{engine_folder}", database="stepped_back")) as store:
        migrate(store)
        archive = Archive(store)
        for first, now in ((0, today), (5, today - timedelta(days=20)), (10, today)):
            archive.write(rows(first, first + 10), now=now)
        archive.forget()
        assert archive.write(rows(15, 20), now=today) == 0
        stored = store.query("SELECT count(), uniqExact(event_id), max(src_offset) FROM ticket_events").rows
        assert stored == ((20, 20, 19),)
        store.command("DROP DATABASE stepped_back")


@pytest.mark.kafka
async def test_while_the_schema_registry_is_away_events_of_a_new_schema_wait_and_nothing_is_lost(
    kafka: str, tmp_path: Path
) -> None:
    raw = json.loads(words.current()[TicketEvent].text)
    raw["fields"].append({"name": "mood", "type": "string", "default": "calm"})
    newer = json.dumps(raw)
    counterpart = Counterpart()
    counterpart.schemas = dict.fromkeys(range(1, 500), "{}")
    counterpart.schemas[500] = newer
    body = BytesIO()
    content = {**to_json(ticket_event()), "occurred_at": NOON, "mood": "grim"}
    fastavro.schemaless_writer(body, words.parse(newer), content)
    new = Outgoing(topics.EVENTS.name, b"T-1", b"\x00\x00\x00\x01\xf4" + body.getvalue(), partition=0)
    behind = ticket_event(event_id="behind")
    async with running(counterpart) as url:
        access = {"TRIAGE_SCHEMA_REGISTRY_URL": url}
        pipeline = Pipeline(kafka, tmp_path, access=access)
        await pipeline._make_topics()
        try:
            with pipeline:
                await asyncio.to_thread(waits_for_the_registry, pipeline, counterpart, [new, behind])
            counterpart.away = True
            at_the_start = await asyncio.to_thread(pipeline.triage, "worker", "--only", "triage")
        finally:
            await pipeline.delete_topics()
    assert at_the_start.returncode == 75
    assert "schema registry" in at_the_start.stderr


def waits_for_the_registry(pipeline: Pipeline, counterpart: Counterpart, records: list[Any]) -> None:
    worker = pipeline.start_worker("--only", "triage")
    counterpart.away = True
    value = pipeline.codec.encode(records[1])
    pipeline.publish([records[0], Outgoing(topics.EVENTS.name, b"T-1", value, partition=0)])
    pipeline.wait_for("the worker to ask the registry", lambda: "asking again" in worker.log())
    assert pipeline.read(topics.DECISIONS) == pipeline.read(topics.DEAD_LETTERS) == []
    counterpart.away = False
    pipeline.wait_for("both decisions", lambda: len(pipeline.read(topics.DECISIONS)) == 2)
    assert pipeline.read(topics.DEAD_LETTERS) == []
    assert worker.stop() == 0


@pytest.mark.parametrize(
    ("code", "text", "error"),
    [
        (243, "Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)", StoreUnavailable),
        (1001, "std::exception: filesystem error: No space left on device", StoreUnavailable),
        (497, "Not enough privileges", StoreRejected),
    ],
)
def test_a_full_disk_passes_and_a_refusal_does_not(code: int, text: str, error: type[Exception]) -> None:
    found = DatabaseError(text)
    found.code = code
    assert isinstance(store_module._named(found), error)


class FullForAWhile:
    def __init__(self) -> None:
        self.tries = 0
        self.rows: list[Row] = []

    def write(self, rows: list[Row], *, now: datetime) -> int:
        assert now.microsecond == 0
        self.tries += 1
        if self.tries < 4:
            raise StoreUnavailable("ClickHouse: not enough space")
        self.rows += rows
        return len(rows)


async def test_the_archive_waits_for_a_store_that_is_full_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    codec, archive = Codec(), FullForAWhile()

    async def open_archive() -> Archive:
        return cast("Archive", archive)

    agent = ArchiveAgent(
        open_archive=open_archive,
        decoder=Decoder(codec, None),
        publisher=cast("Publisher", Sent()),
        clock=lambda: NOON,
    )
    waits: list[tuple[float, str | None]] = []

    async def sleep(seconds: float) -> None:
        waits.append((seconds, agent.waiting_for))

    monkeypatch.setattr("streams.agents.archive.asyncio.sleep", sleep)
    await agent([record(codec.encode(ticket_event()))])
    assert [item[0] for item in waits] == [1.0, 2.0, 4.0]
    assert all("not enough space" in str(item[1]) for item in waits)
    assert agent.waiting_for is None
    assert len(archive.rows) == 1


FILLED = """
import contextlib, secrets, sys
from datetime import UTC, datetime
from pathlib import Path
from examples import position, ticket_event
from schemas.errors import StoreUnavailable
from sinks.archive import Archive
from sinks.migrations import migrate
from sinks.rows import event_row
from sinks.store import Store, StoreAccess

folder, now = Path(sys.argv[1]), datetime.now(UTC).replace(microsecond=0)
store = Store(StoreAccess(url=f"chdb://{folder / 'store'}"))
migrate(store)
archive = Archive(store)

def rows(first, last):
    bodies = {n: secrets.token_hex(5_000) for n in range(first, last)}
    return [event_row(ticket_event(event_id=str(n), body=body), position(n)) for n, body in bodies.items()]

def fails(first, last):
    try:
        archive.write(rows(first, last), now=now)
    except StoreUnavailable as error:
        return str(error)
    return None

written = 0
while (said := fails(written, written + 200)) is None:
    written += 200
print("reserved:", said)
with contextlib.suppress(OSError), (folder / "rest").open("wb", buffering=0) as rest:
    while True:
        rest.write(bytes(4_096))
print("full:", fails(written, written + 200))
for name in ("filler", "rest"):
    (folder / name).unlink()
print("stored:", archive.write(rows(written - 50, written + 200), now=now))
found = store.query("SELECT count(), uniqExact(src_offset), max(src_offset) + 1 FROM ticket_events").rows
print("rows:", found == ((written + 200,) * 3,))
"""


def test_an_embedded_store_on_a_full_disk_is_waited_for_and_goes_on_with_nothing_lost_or_twice(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=40m tmpfs {tmp_path} && head -c 20000000 /dev/zero > {tmp_path}/filler"
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*unshare, mount], capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine lets nobody mount a small disk of their own")
    done = subprocess.run(
        [*unshare, f"{mount} && exec {sys.executable} - {tmp_path}"],
        input=FILLED,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert "NOT_ENOUGH_SPACE" in said["reserved"]
    assert "No space left on device" in said["full"]
    assert (said["stored"], said["rows"]) == ("200", "True")
