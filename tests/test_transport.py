"""The transport on a real Kafka: what it hands out, what it commits, and what of Faust goes on beside it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faust.exceptions import ImproperlyConfigured
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.transport import BatchSchema, Consumer, Transport

pytestmark = pytest.mark.kafka

Handle = Callable[[Any], Awaitable[None]]


class Log:
    """A topic of its own with one partition, and a consumer group of its own."""

    def __init__(self, kafka: str) -> None:
        self.kafka = kafka
        self.topic = f"transport-{uuid.uuid4().hex[:8]}"
        self.place = TopicPartition(self.topic, 0)
        self.tp = TP(self.topic, 0)

    async def create(self, *names: str, partitions: int = 1, **config: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config) for name in names])
        await admin.close()

    async def write(self, *values: bytes, topic: str | None = None) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.kafka) as producer:
            for value in values:
                await producer.send_and_wait(topic or self.topic, value, key=b"k")

    async def committed(self) -> int | None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, group_id=self.topic, enable_auto_commit=False)
        await consumer.start()
        try:
            return await consumer.committed(self.place)
        finally:
            await consumer.stop()


@pytest.fixture
async def log(kafka: str) -> Log:
    made = Log(kafka)
    await made.create(made.topic)
    return made


def app_of(log: Log, folder: Path, **settings: Any) -> faust.App:
    return faust.App(
        log.topic,
        broker=f"triage-batches://{log.kafka}",
        datadir=folder / uuid.uuid4().hex,
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        loghandlers=[],
        **{
            "stream_wait_empty": False,
            "broker_commit_interval": 0.1,
            "broker_session_timeout": 10,
            "topic_allow_declare": False,
            **settings,
        },
    )


@asynccontextmanager
async def running(app: faust.App) -> AsyncIterator[Consumer]:
    await app.start()
    try:
        yield app.consumer  # type: ignore[misc]  the transport's own
    finally:
        await app.stop()


async def until(condition: Callable[[], bool], what: str, within_seconds: float = 30.0) -> None:
    deadline = asyncio.get_running_loop().time() + within_seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, what
        await asyncio.sleep(0.02)


class Agent:
    """Keeps the events that it gets, and acknowledges none by itself."""

    def __init__(self, app: faust.App, log: Log) -> None:
        self.events: list[Any] = []

        async def run(stream: Any) -> None:
            async for event in stream.noack().events():
                self.events.append(event)

        app.agent(app.topic(log.topic, schema=BatchSchema()), name="kept")(run)

    def values(self) -> list[bytes]:
        return [record.value for event in self.events for record in event.value]

    def offsets(self) -> list[int]:
        return [record.offset for event in self.events for record in event.value]


def numbers(start: int, end: int) -> list[bytes]:
    return [b"%d" % number for number in range(start, end)]


async def test_an_event_is_a_batch_of_whole_records_in_offset_order(log: Log, tmp_path: Path) -> None:
    await log.write(*numbers(0, 50))
    app = app_of(log, tmp_path)
    agent = Agent(app, log)
    async with running(app) as consumer:
        await until(lambda: len(agent.values()) == 50, "50 records")
        assert isinstance(app.transport, Transport)
        assert agent.offsets() == list(range(50))
        assert len(agent.events) < 50
        record = agent.events[0].value[0]
        assert (record.topic, record.partition, record.key, record.value) == (log.topic, 0, b"k", b"0")
        assert consumer.flows()[log.tp].position == 50


async def test_the_commit_is_the_end_of_the_longest_finished_prefix(log: Log, tmp_path: Path) -> None:
    app = app_of(log, tmp_path)
    agent = Agent(app, log)
    async with running(app):
        for start in (0, 10, 20):
            await log.write(*numbers(start, start + 10))
            await until(lambda: len(agent.values()) == start + 10, "ten more records")  # noqa: B023  awaited at once
        later = [event for event in agent.events if event.value[0].offset >= 10]
        earlier = [event for event in agent.events if event.value[0].offset < 10]
        for event in later:
            event.ack()
        await asyncio.sleep(0.5)
        assert await log.committed() is None  # Faust's own would say 30
        for event in earlier:
            event.ack()
        await asyncio.sleep(0.5)
        assert await log.committed() == 30


async def test_what_was_not_acknowledged_is_handed_out_again_after_a_restart(log: Log, tmp_path: Path) -> None:
    await log.write(*numbers(0, 10))
    app = app_of(log, tmp_path)
    agent = Agent(app, log)
    async with running(app):
        await until(lambda: len(agent.values()) == 10, "ten records")
        for event in agent.events:
            event.ack()
        await asyncio.sleep(0.5)
        await log.write(*numbers(10, 20))
        await until(lambda: len(agent.values()) == 20, "ten more records")
    again = app_of(log, tmp_path)
    agent = Agent(again, log)
    async with running(again):
        await until(lambda: len(agent.values()) >= 10, "the unfinished ten")
        assert agent.offsets() == list(range(10, 20))


async def test_a_partition_without_a_commit_begins_at_its_first_record_again_after_a_rebalance(
    log: Log, tmp_path: Path
) -> None:
    await log.write(*numbers(0, 10))
    app = app_of(log, tmp_path)
    agent = Agent(app, log)
    async with running(app) as consumer:
        await until(lambda: len(agent.values()) == 10, "ten records")
        agent.events.clear()
        await consumer.perform_seek()  # as at the end of each rebalance
        await until(lambda: len(agent.values()) == 10, "the same ten again")
        assert agent.offsets() == list(range(10))


async def test_after_a_seek_back_late_receipts_commit_nothing_of_what_is_handed_out_again(
    log: Log, tmp_path: Path
) -> None:
    await log.write(*numbers(0, 10))
    app = app_of(log, tmp_path)
    agent = Agent(app, log)
    async with running(app) as consumer:
        await until(lambda: len(agent.values()) == 10, "ten records")
        old = list(agent.events)
        agent.events.clear()
        await consumer.seek(log.tp, 4)
        await until(lambda: len(agent.values()) == 6, "six of them again")
        assert agent.offsets() == list(range(4, 10))
        for event in old:
            event.ack()
        await asyncio.sleep(0.5)
        assert await log.committed() == 4
        for event in agent.events:
            event.ack()
        await asyncio.sleep(0.5)
        assert await log.committed() == 10


async def test_a_batch_that_was_lost_on_its_way_is_fetched_again(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[Any] = []
    hand_out = Consumer._hand_out

    async def lose_the_first(self: Consumer, tp: TP, batch: Any) -> Any:
        if not lost:
            lost.append(batch)
            return None
        return await hand_out(self, tp, batch)

    monkeypatch.setattr(Consumer, "_hand_out", lose_the_first)
    await log.write(*numbers(0, 10))
    app = app_of(log, tmp_path)
    agent = Agent(app, log)
    async with running(app):
        await until(lambda: bool(lost), "a batch to lose")
        await log.write(*numbers(10, 20))
        await until(lambda: len(agent.values()) >= 20, "all records, the lost ones too")
        assert agent.offsets() == list(range(20))


async def test_a_batch_that_was_fetched_before_a_seek_and_comes_late_is_dropped(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[Any] = []
    hand_out = Consumer._hand_out

    async def seek_meanwhile(self: Consumer, tp: TP, batch: Any) -> Any:
        if not late:
            late.append(batch)
            await self.seek(tp, 5)
        return await hand_out(self, tp, batch)

    monkeypatch.setattr(Consumer, "_hand_out", seek_meanwhile)
    await log.write(*numbers(0, 10))
    app = app_of(log, tmp_path)
    agent = Agent(app, log)
    async with running(app):
        await until(lambda: len(agent.values()) >= 5, "what stands behind the seek")
        await asyncio.sleep(0.3)
        assert agent.offsets() == list(range(5, 10))


async def test_a_revocation_that_ends_after_the_partitions_are_back_leaves_their_ledgers(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_of(log, tmp_path)
    agent = Agent(app, log)

    async def waits_too_long(consumer: Consumer, _revoked: set[TP]) -> None:
        await consumer.seek_to_committed()  # the end of the next rebalance, which Faust did not wait with

    async with running(app) as consumer:
        await log.write(b"1")
        await until(lambda: agent.values() == [b"1"], "the first record")
        monkeypatch.setattr(driver.Consumer, "on_partitions_revoked", waits_too_long)
        await consumer.on_partitions_revoked({log.tp})
        monkeypatch.undo()
        await until(lambda: agent.values() == [b"1", b"1"], "the record again, from the commit on")


async def test_a_partition_that_is_assigned_and_was_never_sought_is_seen_to_be_nowhere(
    log: Log, tmp_path: Path
) -> None:
    app = app_of(log, tmp_path)
    agent = Agent(app, log)
    async with running(app) as consumer:
        await log.write(b"1", b"2")
        await until(lambda: agent.values() == [b"1", b"2"], "the records")
        consumer._ledgers.clear()
        assert consumer.flows()[log.tp].position == 0
        assert await consumer.ends(5.0) == {log.tp: (2, 0)}


async def test_records_in_hand_are_bounded_by_bytes_and_flow_on_when_some_are_finished(
    log: Log, tmp_path: Path
) -> None:
    await log.write(*[b"x" * 1_000] * 200)
    app = app_of(log, tmp_path, broker_max_poll_records=10)
    agent = Agent(app, log)
    async with running(app) as consumer:
        consumer.bytes_in_hand = 50_000
        await until(lambda: consumer.flows().get(log.tp) is not None, "a ledger")
        await until(lambda: consumer.flows()[log.tp].bytes_in_hand >= 50_000, "hands full")
        await asyncio.sleep(0.5)
        assert consumer.flows()[log.tp].bytes_in_hand <= 50_000 + 10 * 1_001
        assert len(agent.values()) < 200
        acknowledged = 0
        while len(agent.values()) < 200 or acknowledged < len(agent.events):
            for event in agent.events[acknowledged:]:
                event.ack()
                acknowledged += 1
            await asyncio.sleep(0.01)
        assert agent.offsets() == list(range(200))


async def test_a_stream_that_acknowledges_by_itself_works_too(log: Log, tmp_path: Path) -> None:
    await log.write(*numbers(0, 10))
    app = app_of(log, tmp_path)
    seen: list[bytes] = []

    async def run(stream: Any) -> None:
        async for batch in stream:
            seen.extend(record.value for record in batch)

    app.agent(app.topic(log.topic, schema=BatchSchema()), name="plain")(run)
    async with running(app):
        await until(lambda: len(seen) == 10, "ten records")
        await log.write(*numbers(10, 20))
        await until(lambda: len(seen) == 20, "ten more")
        await asyncio.sleep(0.5)
        assert await log.committed() == 20


async def test_topics_timers_and_agents_of_plain_faust_go_on_beside_it(log: Log, tmp_path: Path) -> None:
    plain = f"{log.topic}-plain"
    await log.create(plain)
    await log.write(*numbers(0, 10))
    await log.write(*numbers(100, 110), topic=plain)
    app = app_of(log, tmp_path)
    agent, values, ticks = Agent(app, log), list[bytes](), list[int]()

    async def one_by_one(stream: Any) -> None:
        async for value in stream:
            values.append(value)

    async def tick() -> None:
        ticks.append(1)

    source = app.topic(plain, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    app.agent(source, name="one_by_one")(one_by_one)
    app.timer(0.1)(tick)
    async with running(app):
        await until(lambda: len(agent.values()) == 10 and len(values) == 10 and len(ticks) > 2, "all of it")
        assert values == numbers(100, 110)
        monitor: Any = app.monitor
        assert monitor.messages_received_by_topic[log.topic] == len(agent.events)


async def test_one_topic_in_batches_and_record_by_record_is_refused(log: Log, tmp_path: Path) -> None:
    app = app_of(log, tmp_path)
    Agent(app, log)

    async def run(stream: Any) -> None:
        async for _ in stream:
            pass

    app.agent(app.topic(log.topic, value_type=bytes), name="other")(run)
    await app.start()
    try:
        with pytest.raises(ImproperlyConfigured, match="in batches and record by record"):
            app.consumer._batched_topics()  # type: ignore[attr-defined]  the transport's own
    finally:
        await app.stop()
