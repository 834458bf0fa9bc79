"""Reading topics from one place to another, without a consumer group: nothing is joined and nothing committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError

from schemas.errors import KafkaUnavailable, TopicsDiffer
from streams.batches import Record
from streams.settings import Settings
from streams.topic_admin import partition_counts

log = logging.getLogger("triage.reading")

T = TypeVar("T")

LOOK_BACK = 2_000
"""Records of the first look for the newest of a kind; each further one is four times as far."""

_TRIES, _ASK_AGAIN_SECONDS = 60, 1.0
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


class PatientReader:
    """Clients for reading here and there. While Kafka is away it tries again, for a minute."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._readers: dict[str, Reader] = {}
        """By topic: a client that goes to and fro between two may wait for minutes until it knows the leaders again."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def asked(self, topic: str, ask: Callable[[Reader], Awaitable[T]]) -> T:
        """What `ask` finds by a client for `topic`. Raises KafkaUnavailable where Kafka is away for a minute."""
        for left in reversed(range(_TRIES)):
            try:
                return await ask(await self.opened(topic))
            except KafkaError as away:
                await self.close()
                if not left:
                    raise KafkaUnavailable(f"{topic} cannot be read: {away}") from away
                log.warning("%s cannot be read: %s; trying again", topic, away)
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
        raise AssertionError  # the last try has raised

    async def opened(self, topic: str) -> Reader:
        """The client for `topic`. Raises a KafkaError where no broker answers."""
        if topic not in self._readers:
            self._readers[topic] = await self._stack.enter_async_context(reader(self._settings, prompt=True))
        return self._readers[topic]

    async def close(self) -> None:
        """Close all clients. The next question makes new ones."""
        self._readers.clear()
        await self._stack.aclose()
        self._stack = AsyncExitStack()


async def newest_before(
    source: Reader, place: Place, end: int, found: Callable[[Record], T | None], *, least: int = 0
) -> T | None:
    """What `found` gives for the newest record of `place`, from `least` to before `end`, that it gives anything for.

    It looks back in steps that grow, as far as Kafka has records.
    """
    start, log_end = (await source.bounds([place]))[place]
    far, end, least = LOOK_BACK, min(end, log_end), max(start, least)
    while end > least:
        first = max(least, end - far)
        newest: T | None = None
        async for records in source.read({place: (first, end)}):
            for record in records:
                answer = found(record)
                newest = newest if answer is None else answer
        if newest is not None:
            return newest
        far, end = far * 4, first
    return None


async def places_of(topics: Iterable[str], settings: Settings) -> list[Place]:
    """Every partition of `topics`. Raises TopicsDiffer where one does not exist."""
    names = list(topics)
    counts = await partition_counts(names, settings)
    if missing := [name for name in names if name not in counts]:
        raise TopicsDiffer(f"{', '.join(missing)} does not exist. Create the topics with: triage topics")
    return [(name, number) for name in names for number in range(counts[name])]
