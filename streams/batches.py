"""What agents work on: batches of raw records, acknowledged when their work is done.

The transport hands over a fetched batch of one partition at a time. Here those that have arrived while the agent was
busy are joined, so that a quiet stream waits for nothing and a busy one works in large batches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from aiokafka import ConsumerRecord

from schemas.decisions import LogPosition

if TYPE_CHECKING:
    from faust.types import EventT, StreamT

Record = ConsumerRecord[Any, Any]
"""One Kafka record as the client read it: topic, partition, offset, key, value, headers, timestamp in ms."""


def position_of(record: Record) -> LogPosition:
    """Where `record` stands."""
    return LogPosition(topic=record.topic, partition=record.partition, offset=record.offset)


def time_of(record: Record) -> datetime:
    """The broker's or the producer's time stamp of `record`, in UTC; 1970 where that is no time that Python has."""
    try:
        return datetime.fromtimestamp(record.timestamp / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Batch:
    """Records in the order of their offsets within each partition, and how to say that they are done."""

    records: tuple[Record, ...]
    _events: tuple[EventT[Any], ...]

    def ack(self) -> None:
        """Let the offsets of these records be committed: all that follows from them is safe."""
        for event in self._events:
            event.ack()


async def batches(stream: StreamT[Any], *, most: int, linger: timedelta = timedelta(0)) -> AsyncIterator[Batch]:
    """Batches of fetched batches, until they are `most` records or more.

    After the first of a batch, wait `linger` for more.
    """
    waiting: list[EventT[Any]] = []
    count = 0
    arrived, taken = asyncio.Event(), asyncio.Event()

    async def gather() -> None:
        nonlocal count
        async for event in cast("Any", stream).noack().events():
            waiting.append(event)
            count += len(event.value)
            arrived.set()
            while count >= most:
                taken.clear()
                await taken.wait()

    gathering = asyncio.ensure_future(gather())
    gathering.add_done_callback(lambda _: arrived.set())
    try:
        while True:
            await arrived.wait()
            if gathering.done() and not waiting:
                gathering.result()
                return
            if linger and count < most and not gathering.done():
                await asyncio.sleep(linger.total_seconds())
            events = tuple(waiting)
            waiting.clear()
            count = 0
            if not gathering.done():
                arrived.clear()
            taken.set()
            records = (record for event in events for record in cast("tuple[Record, ...]", event.value))
            yield Batch(tuple(records), events)
    finally:
        gathering.cancel()
