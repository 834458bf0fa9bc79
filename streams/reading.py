"""Reading topics from one place to another, without a consumer group: nothing is joined and nothing committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from schemas.errors import TopicsDiffer
from streams.batches import Record
from streams.settings import Settings
from streams.topic_admin import partition_counts

_WAIT = timedelta(milliseconds=500)
_NOTHING_FOR = timedelta(minutes=1)

Place = tuple[str, int]
"""Topic and partition."""


class Reader:
    """A client for reading; made by `reader`."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer

    async def bounds(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        """The first offset and the one after the last, of each of `places`."""
        wanted = [TopicPartition(*place) for place in places]
        starts = await self._consumer.beginning_offsets(wanted)
        ends = await self._consumer.end_offsets(wanted)
        return {(place.topic, place.partition): (starts[place], ends[place]) for place in wanted}

    async def offset_at(self, place: Place, time: datetime) -> int | None:
        """The first offset of `place` whose time stamp is at or after `time`; None where there is none."""
        wanted = TopicPartition(*place)
        found = await self._consumer.offsets_for_times({wanted: round(time.timestamp() * 1000)})
        answer = found.get(wanted)
        return None if answer is None else answer.offset

    async def read(self, ranges: Mapping[Place, tuple[int, int]]) -> AsyncIterator[Sequence[Record]]:
        """The records of `ranges` (first offset, offset after the last), in batches of one partition each.

        Raises KafkaTimeoutError where nothing comes for a minute, as when brokers are away or the log has shrunk.
        """
        left = {TopicPartition(*place): bounds for place, bounds in ranges.items() if bounds[0] < bounds[1]}
        self._consumer.assign(list(left))
        for place, (first, _) in left.items():
            self._consumer.seek(place, first)
        loop = asyncio.get_running_loop()
        moved, reached = loop.time(), {place: first for place, (first, _) in left.items()}
        while left:
            fetched: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
                timeout_ms=_WAIT // timedelta(milliseconds=1)
            )
            for place, records in fetched.items():
                end = left[place][1] if place in left else -1
                if wanted := [record for record in records if record.offset < end]:
                    yield wanted
            for place, (_, end) in list(left.items()):
                # The position, not the last record: compaction and transactions leave offsets without records.
                position = await self._consumer.position(place)
                if position > reached[place]:
                    moved, reached[place] = loop.time(), position
                if position >= end:
                    del left[place]
                    self._consumer.pause(place)
            if left and loop.time() - moved > _NOTHING_FOR.total_seconds():
                raise KafkaTimeoutError(f"nothing comes from {', '.join(map(str, left))}")


@asynccontextmanager
async def reader(settings: Settings, *, prompt: bool = False) -> AsyncIterator[Reader]:
    """A reader for as long as the context lasts. Raises a KafkaError where no broker answers.

    A `prompt` one is for few records here and there: a question that brokers hold open for want of records keeps the
    next one waiting, for half a second otherwise.
    """
    options: dict[str, Any] = settings.kafka_options()
    # The first question about a partition is asked again once its leader is known: 100 ms later, where nothing is said.
    if prompt:
        options["fetch_max_wait_ms"] = 10
    consumer = AIOKafkaConsumer(**options, auto_offset_reset="earliest", enable_auto_commit=False, retry_backoff_ms=10)
    await consumer.start()
    try:
        yield Reader(consumer)
    finally:
        await consumer.stop()


async def places_of(topics: Iterable[str], settings: Settings) -> list[Place]:
    """Every partition of `topics`. Raises TopicsDiffer where one does not exist."""
    names = list(topics)
    counts = await partition_counts(names, settings)
    if missing := [name for name in names if name not in counts]:
        raise TopicsDiffer(f"{', '.join(missing)} does not exist. Create the topics with: triage topics")
    return [(name, number) for name in names for number in range(counts[name])]
