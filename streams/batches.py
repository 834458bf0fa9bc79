"""What agents work on: batches of raw records, acknowledged when their work is done.

Faust hands over one message at a time. Here they are gathered into what has arrived while the agent was busy, so
that a quiet stream waits for nothing and a busy one works in large batches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from schemas.dead_letters import Header
from schemas.decisions import LogPosition

if TYPE_CHECKING:
    from faust.types import EventT, StreamT


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One Kafka record as it came; `timestamp` is the broker's or the producer's, in UTC."""

    position: LogPosition
    timestamp: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]


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
    """Batches of at most `most` records; after the first of a batch, wait `linger` for more."""
    waiting: list[EventT[Any]] = []
    arrived, taken = asyncio.Event(), asyncio.Event()

    async def gather() -> None:
        async for event in cast("Any", stream).noack().events():
            waiting.append(event)
            arrived.set()
            while len(waiting) >= most:
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
            if linger and len(waiting) < most and not gathering.done():
                await asyncio.sleep(linger.total_seconds())
            events = tuple(waiting)
            waiting.clear()
            arrived.clear()
            taken.set()
            yield Batch(tuple(_record(event) for event in events), events)
    finally:
        gathering.cancel()


def _record(event: EventT[Any]) -> Record:
    message = event.message
    headers: Any = message.headers or ()
    return Record(
        position=LogPosition(topic=message.topic, partition=message.partition, offset=message.offset),
        timestamp=datetime.fromtimestamp(message.timestamp, UTC),
        key=message.key,
        value=message.value,
        headers=tuple(headers.items() if isinstance(headers, dict) else headers),
    )
