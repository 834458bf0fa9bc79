"""Publishing on a real Kafka: acknowledged, in order, and never given up in silence."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.errors import BadSettings, KafkaUnavailable, PublishFailed
from streams.publish import Outgoing, Publisher

pytestmark = pytest.mark.kafka

PARTITIONS = 3


@pytest.fixture
async def topic(kafka: str) -> AsyncIterator[str]:
    name = f"publish-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    yield name
    await admin.delete_topics([name])
    await admin.close()


async def read(kafka: str, topic: str) -> list[object]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        records: list[object] = []
        while len(records) < sum(ends.values()):
            for fetched in (await consumer.getmany(timeout_ms=200)).values():
                records.extend(fetched)
        return records
    finally:
        await consumer.stop()


async def test_what_publish_has_waited_for_is_there_whole_and_in_the_order_of_each_key(kafka: str, topic: str) -> None:
    records = [
        Outgoing(topic=topic, key=b"k%d" % (number % 7), value=b"%d" % number, headers=[("n", b"%d" % number)])
        for number in range(2_000)
    ]
    async with Publisher({"bootstrap.servers": kafka}) as publisher:
        publisher.enqueue(records[:1_000])
        await publisher.publish(records[1_000:])
        found = await read(kafka, topic)
    by_key: dict[bytes, list[int]] = {}
    for record in found:
        assert record.headers == (("n", record.value),)
        by_key.setdefault(record.key, []).append(int(record.value))
    assert by_key == {b"k%d" % key: list(range(key, 2_000, 7)) for key in range(7)}


async def test_a_partition_a_time_and_nothing_at_all_are_published_as_given(kafka: str, topic: str) -> None:
    async with Publisher({"bootstrap.servers": kafka}) as publisher:
        await publisher.publish(
            [
                Outgoing(topic=topic, key=b"k", value=b"v", partition=2, timestamp_ms=1_700_000_000_000),
                Outgoing(topic=topic, key=None, value=None, headers=[("h", None)], partition=1),
            ]
        )
    found = {record.partition: record for record in await read(kafka, topic)}
    assert (found[2].timestamp, found[2].headers) == (1_700_000_000_000, ())
    assert (found[1].key, found[1].value, found[1].headers) == (None, None, (("h", None),))


async def test_a_record_that_is_too_large_is_refused_with_its_topic(kafka: str, topic: str) -> None:
    async with Publisher({"bootstrap.servers": kafka}) as publisher:
        with pytest.raises(PublishFailed, match=rf"{topic}.*too large"):
            await publisher.publish([Outgoing(topic=topic, key=b"k", value=b"x" * 5_000_000)])


async def test_a_topic_that_does_not_exist_is_refused(kafka: str) -> None:
    options = {"bootstrap.servers": kafka, "topic.metadata.propagation.max.ms": 200}
    async with Publisher(options) as publisher:
        with pytest.raises(PublishFailed, match=r"no-such-topic was refused"):
            await publisher.publish([Outgoing(topic="no-such-topic", key=b"k", value=b"v")])


async def test_a_broker_that_is_away_is_waited_for_and_then_given_up_with_the_number_of_records() -> None:
    async with Publisher({"bootstrap.servers": "127.0.0.1:9"}, give_up_after=timedelta(seconds=1)) as publisher:
        with pytest.raises(KafkaUnavailable, match=r"has not acknowledged 2 records within 1 s"):
            await publisher.publish([Outgoing(topic="t", key=b"k", value=b"v")] * 2)


async def test_a_full_queue_is_waited_out(kafka: str, topic: str) -> None:
    async with Publisher({"bootstrap.servers": kafka, "queue.buffering.max.messages": 10}) as publisher:
        await publisher.publish([Outgoing(topic=topic, key=b"k", value=b"%d" % number) for number in range(500)])
    assert [int(record.value) for record in await read(kafka, topic)] == list(range(500))


def test_options_that_librdkafka_cannot_use_are_bad_settings() -> None:
    with pytest.raises(BadSettings, match="TRIAGE_KAFKA_"):
        Publisher({"bootstrap.servers": "127.0.0.1:9", "security.protocol": "nonsense"})
