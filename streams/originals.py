"""The events that tickets began with: an index that follows the events' topic, and the texts from Kafka."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from aiokafka.errors import KafkaError

from schemas import topics
from schemas.decisions import LogPosition
from schemas.events import TicketEvent
from sinks.originals import Originals, Ticket
from streams.batches import Record, position_of
from streams.decoding import Decoder
from streams.reading import Reader, reader
from streams.settings import Settings

log = logging.getLogger("triage.originals")

_FOLLOW_EVERY_SECONDS = 0.5


class Original(NamedTuple):
    """The first event of a ticket, and where it stands."""

    event: TicketEvent
    position: LogPosition


class OriginalEvents:
    """Finds what tickets began with. Feedback and events of a ticket share a partition number."""

    def __init__(self, settings: Settings, decoder: Decoder) -> None:
        self._settings = settings
        self._decoder = decoder
        self._stack = AsyncExitStack()
        self._indexes: dict[int, Originals] = {}
        self._starts: dict[int, int] = {}
        """By partition: the first offset that Kafka had, when what is older was forgotten."""
        self._index_reader: Reader | None = None
        self._text_reader: Reader | None = None
        self._following = asyncio.Lock()

    @property
    def folder(self) -> Path:
        """Where the indexes are."""
        return self._settings.data_dir / "originals" / self._settings.app_id

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def find(self, ticket: Ticket, partition: int) -> Original | None:
        """The first event of `ticket`; None where Kafka has none in `partition`, also not by now."""
        first = self._index(partition).find(ticket)
        if first is None:
            await self.catch_up([partition])
            first = self._index(partition).find(ticket)
        if first is None:
            return None
        if self._text_reader is None:
            self._text_reader = await self._stack.enter_async_context(reader(self._settings, prompt=True))
        place = topics.EVENTS.name, partition
        start, end = (await self._text_reader.bounds([place]))[place]
        if not start <= first < end:
            await self.catch_up([partition])
            return None
        async for records in self._text_reader.read({place: (first, first + 1)}):
            event = await self._decoder.decode(records[0].value, TicketEvent)
            if isinstance(event, TicketEvent) and _ticket(event) == ticket:
                return Original(event, position_of(records[0]))
        return None

    async def follow(self) -> None:
        """Keep up with the events of the partitions that were asked for, until cancelled."""
        while True:
            try:
                await self.catch_up(tuple(self._indexes))
            except KafkaError as away:
                log.warning("the events cannot be read for the index of tickets: %s; trying again", away)
            await asyncio.sleep(_FOLLOW_EVERY_SECONDS)

    def expect(self, partitions: Collection[int]) -> None:
        """Follow these partitions and no others."""
        for number in set(self._indexes) - set(partitions):
            self._indexes.pop(number).close()
        for number in partitions:
            self._index(number)

    async def catch_up(self, partitions: Collection[int]) -> None:
        """Read on to what is now the end of `partitions`."""
        async with self._following:
            if not partitions:
                return
            if self._index_reader is None:
                self._index_reader = await self._stack.enter_async_context(reader(self._settings, prompt=True))
            bounds = await self._index_reader.bounds((topics.EVENTS.name, number) for number in partitions)
            ranges = {place: self._left(place[1], *span) for place, span in bounds.items()}
            if all(first >= end for first, end in ranges.values()):
                return
            async for records in self._index_reader.read(ranges):
                await self._note(records)
                await asyncio.sleep(0)  # the other agents, health checks

    def _left(self, partition: int, start: int, end: int) -> tuple[int, int]:
        """The offsets to read on, of `start` to `end` that Kafka has."""
        index = self._indexes.get(partition)
        if index is None:  # it went to another worker
            return end, end
        if index.next > end:
            log.warning("partition %d of the events was made anew: its index of tickets is, too", partition)
            index.start_again()
        if self._starts.get(partition) != start:
            index.forget_before(start)
            self._starts[partition] = start
        return max(start, index.next), end

    async def _note(self, records: Sequence[Record]) -> None:
        found: list[tuple[Ticket, int]] = []
        for record in records:
            event = None if record.value is None else await self._decoder.decode(record.value, TicketEvent)
            if isinstance(event, TicketEvent):
                found.append((_ticket(event), record.offset))
        if (index := self._indexes.get(records[0].partition)) is not None:
            index.add(found, records[-1].offset)

    def _index(self, partition: int) -> Originals:
        if partition not in self._indexes:
            self._indexes[partition] = Originals(self.folder / f"events-{partition}.sqlite")
        return self._indexes[partition]


def _ticket(event: TicketEvent) -> Ticket:
    return Ticket(event.tenant, event.source, event.ticket_id)
