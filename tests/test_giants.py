"""Giant events on a real Kafka: each has its outcome, and none stops the worker."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from examples import NOON, position, ticket_event
from pipeline import Pipeline

from models.decide import Models, decide
from schemas import topics
from schemas.cloudevents import decision_headers
from schemas.codec import Codec
from schemas.decisions import Assignment, Decision
from schemas.events import HUMAN_FIELDS, MOST_CHARACTERS, MOST_EVENT_BYTES
from sinks.snapshots import SnapshotFolder
from streams.agents import triage
from streams.agents.triage import SLICE, SLICE_BYTES, TriageAgent, slices
from streams.batches import time_of
from streams.decoding import Decoder
from streams.held import LiveHeld
from streams.model_log import LiveModels
from streams.publish import Outgoing, Publisher
from streams.settings import load_settings

FRAMING = 100  # of Kafka's record batch
WIDE = {"message.max.bytes": 50_000_000}


def publish(pipeline: Pipeline, records: Sequence[Outgoing], **options: Any) -> None:
    async def send() -> None:
        async with Publisher({**pipeline.settings.producer_options(), **options}) as publisher:
            await publisher.publish(records)

    asyncio.run(send())


def headers(record: Any) -> dict[str, bytes]:
    return dict(record.headers)


@pytest.mark.kafka
def test_an_event_as_large_as_kafka_takes_becomes_a_whole_letter_or_is_decided(pipeline: Pipeline) -> None:
    noise = random.Random(5).randbytes(MOST_EVENT_BYTES - FRAMING)
    good = ticket_event(event_id="large", body="Der Drucker druckt nicht. " * 38_000)
    malformed = [
        Outgoing(topics.EVENTS.name, None, noise, partition=1),  # incompressible: the largest that the topic takes
        Outgoing(topics.EVENTS.name, None, b"\x00" + b" " * (MOST_EVENT_BYTES - FRAMING), partition=1),
    ]
    worker = pipeline.start_worker()
    publish(pipeline, [malformed[0]])
    pipeline.publish([good, malformed[1], ticket_event(event_id="next")])
    pipeline.wait_until_stored("ticket_decisions", 2)
    pipeline.wait_until_stored("dead_letters", 2)
    letters = pipeline.read(topics.DEAD_LETTERS)
    assert [letter.value for letter in letters] == [record.value for record in malformed]
    assert worker.process.poll() is None
    assert worker.stop() == 0


@pytest.mark.kafka
def test_what_a_letter_has_no_room_for_is_left_out_said_and_read_from_where_it_stood(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    # Compressed it is small enough for the topic.
    value = b"\x00\x01" * 2_500_000
    giants = [
        Outgoing(topics.EVENTS.name, b"T-1", value, [("ce_id", b"e-1")], partition=3),
        Outgoing(topics.EVENTS.name, b"T-2", b"{}", [("h", b"x" * 3_000_000)], partition=4),
        Outgoing(topics.EVENTS.name, b"k" * 3_000_000, b"{}", [("ce_id", b"e-3")], partition=5),
    ]
    worker = pipeline.start_worker()
    publish(pipeline, giants, **WIDE)
    pipeline.publish([ticket_event()])
    pipeline.wait_until_stored("ticket_decisions", 1)
    pipeline.wait_until_stored("dead_letters", 3)
    assert worker.stop() == 0

    first, second, third = pipeline.read(topics.DEAD_LETTERS)
    assert (first.key, first.value, headers(first)["ce_id"]) == (b"T-1", b"", b"e-1")
    assert headers(first)["triage_left_out"] == b"value=5000000"
    assert headers(first)["__streams.errors.exception"] == b"schemas.errors.TooLarge"
    assert (second.key, headers(second)["triage_left_out"]) == (b"T-2", b"value=2 headers=3000001")
    assert "h" not in headers(second)
    assert (third.key, headers(third)["triage_left_out"]) == (None, b"value=2 headers=8 key=3000000")

    shown = pipeline.triage("deadletters", "show", "3:0", "--value", str(tmp_path / "value.bin"))
    assert "read from where the record stood" in shown.stdout, shown.stderr
    assert (tmp_path / "value.bin").read_bytes() == value
    done = pipeline.triage("deadletters", "redrive", "--yes")
    assert done.returncode == 0, done.stderr
    again = [record for record in pipeline.read(topics.EVENTS) if "triage_redriven" in headers(record)]
    assert [(record.key, record.value) for record in again] == [(item.key, item.value) for item in giants]
    assert [list(record.headers[:-1]) for record in again] == [item.headers for item in giants]
    listed = json.loads(pipeline.triage("deadletters", "list", "--json").stdout)
    assert all(item["redriven_at"] for item in listed)


@pytest.mark.kafka
async def test_a_giant_that_our_own_code_trips_over_is_a_letter_with_a_bounded_error(
    kafka: str, models: Models, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def trips(depth: int, text: str) -> Decision:
        if depth:
            return trips(depth - 1, text)
        raise RuntimeError(f"cannot judge {text}")

    def trips_deeply(event: Any, _position: Any, _models: Any, _held: Any) -> Decision:
        return trips(800, event.body)

    codec = Codec()
    pipeline = Pipeline(kafka, tmp_path)
    await pipeline._make_topics()
    monkeypatch.setattr(triage, "decide", trips_deeply)
    value = codec.encode(ticket_event(body="x" * 1_000_000))
    try:
        async with Publisher({"bootstrap.servers": kafka}) as publisher:
            agent = TriageAgent(
                models=same_models(models),
                held=nothing_held(),
                codec=codec,
                decoder=Decoder(codec, None),
                publisher=publisher,
                clock=lambda: NOON,
            )
            await agent([record(value)])
        (letter,) = await pipeline._read(topics.DEAD_LETTERS)
    finally:
        await pipeline.delete_topics()
    found = headers(letter)
    assert letter.value == value
    assert (found["triage_stage"], found["__streams.errors.exception"]) == (b"decide", b"builtins.RuntimeError")
    assert len(found["__streams.errors.message"]) <= 2 * 1024
    assert len(found["__streams.errors.stacktrace"]) <= 16 * 1024
    assert found["__streams.errors.message"].startswith(b"cannot judge xxx")
    assert b"left out" in found["__streams.errors.message"]
    assert found["__streams.errors.stacktrace"].startswith(b"Traceback")


class SameModels:
    """Stands where the log's models are: the same for every event."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def refresh(self) -> None:
        pass

    async def come_to(self, _partition: int, _offset: int) -> None:
        pass

    async def prepare(self, _partition: int) -> None:
        pass

    def at(self, _partition: int, _offset: int) -> Models:
        return self._models


def same_models(models: Models) -> LiveModels:
    return cast("LiveModels", SameModels(models))


def nothing_held() -> LiveHeld:
    """What people set, of a log that begins with the record that is decided on."""
    settings = load_settings()
    return LiveHeld(settings, Decoder(Codec(), None), SnapshotFolder(settings.data_dir / "nowhere"), every=None)


def record(value: bytes | None, timestamp: int = 0) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord(
        topic=topics.EVENTS.name,
        partition=0,
        offset=0,
        timestamp=timestamp,
        timestamp_type=0,
        key=b"T-1",
        value=value,
        checksum=None,
        serialized_key_size=3,
        serialized_value_size=len(value or b""),
        headers=(),
    )


def test_the_largest_decision_fits_into_the_record_of_the_smallest_topic(models: Models) -> None:
    wide = {name: "\U0001f5a8" * most for name, most in MOST_CHARACTERS.items()}  # four bytes each
    event = ticket_event(**wide, body="Drucker " * 100_000, human_set=dict.fromkeys(HUMAN_FIELDS, "\U0001f5a8" * 1_000))
    decision = decide(event, position(1), models)
    for word in (decision, Assignment.of(decision)):
        added = decision_headers(word, latency_ms=1, trace=[("traceparent", b"0" * 55)])
        size = sum(len(name) + len(content or b"") for name, content in added)
        size += len(Codec().encode(word)) + len(event.ticket_id.encode())
        assert size < MOST_EVENT_BYTES / 2


def test_large_events_are_decided_a_few_at_a_stretch_and_none_is_lost() -> None:
    def sizes(*lengths: int) -> list[list[int]]:
        return [[len(item.value or b"") for item in part] for part in slices([record(b"x" * n) for n in lengths])]

    assert sizes() == []
    assert sizes(*[1] * SLICE) == [[1] * SLICE]
    assert sizes(*[1] * (SLICE + 1)) == [[1] * SLICE, [1]]
    assert sizes(1, SLICE_BYTES, 1, 2, SLICE_BYTES) == [[1, SLICE_BYTES], [1, 2, SLICE_BYTES]]
    assert [len(part) for part in slices([record(None)] * (2 * SLICE))] == [SLICE, SLICE]


@pytest.mark.parametrize("timestamp", [-(2**63), 2**63 - 1, 10**15, -1])
def test_a_record_whose_time_stamp_is_no_time_has_one_all_the_same(timestamp: int) -> None:
    assert time_of(record(b"", timestamp)).year in (1969, 1970)


@pytest.mark.kafka
async def test_topics_made_without_room_for_letters_are_found_and_given_it(kafka: str, tmp_path: Path) -> None:
    pipeline = Pipeline(kafka, tmp_path)
    old = [
        NewTopic(
            topic.name,
            topic.partitions or 2,
            1,
            topic_configs={
                **topic.config(),
                "segment.ms": "86400000",
                topics.MOST_BYTES_SETTING: "1048588" if topic.word is None else "9000000",
            },
        )
        for topic in pipeline.topics
    ]
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics(old)
    await admin.close()
    try:
        refused = await asyncio.to_thread(pipeline.triage, "topics", "--check")
        assert refused.returncode == 1
        assert "max.message.bytes is 1048588, the table says 2097152 or more" in refused.stderr
        assert "triage topics raises it" in refused.stderr
        assert (await asyncio.to_thread(pipeline.triage, "worker")).returncode == 1
        done = await asyncio.to_thread(pipeline.triage, "topics")
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("widened") == 1
        again = await asyncio.to_thread(pipeline.triage, "topics", "--check")
        assert again.returncode == 0, again.stderr
        # Nothing else was reset, and more room than the table's is nobody's concern.
        assert (await setting(kafka, topics.DEAD_LETTERS.name, "segment.ms")) == "86400000"
        assert (await setting(kafka, topics.EVENTS.name, topics.MOST_BYTES_SETTING)) == "9000000"
    finally:
        await pipeline.delete_topics()


async def setting(kafka: str, topic: str, name: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        (response,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    finally:
        await admin.close()
    entries: Any = response.resources[0][4]
    return {entry[0]: entry[1] for entry in entries}[name]
