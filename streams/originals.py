"""The first and the last record of each ticket on a topic: an index that follows it, and the records from Kafka."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar

from aiokafka.errors import KafkaError

from schemas.decisions import Decision, LogPosition
from schemas.errors import DeadLettered
from schemas.events import TicketEvent
from schemas.topics import Topic
from sinks.originals import Originals, Ticket
from streams.batches import Record, position_of
from streams.decoding import Decoder
from streams.reading import Reader, reader
from streams.settings import Settings

log = logging.getLogger("triage.originals")

_FOLLOW_EVERY_SECONDS = 0.5


W = TypeVar("W", TicketEvent, Decision)


class Found(NamedTuple, Generic[W]):
    """A record of a ticket, and where it stands."""

    word: W
    position: LogPosition


class Tickets(Generic[W]):
    """Finds the first and the last record of a ticket on `topic`, whose partitions are those of its feedback."""

    def __init__(self, settings: Settings, decoder: Decoder, topic: Topic, word: type[W]) -> None:
        self._settings = settings
        self._decoder = decoder
        self._topic = topic.name
        self._word: type[W] = word
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

    async def first(self, ticket: Ticket, partition: int) -> Found[W] | None:
        """The first record of `ticket`; None where Kafka has none in `partition`, also not by now."""
        if self._index(partition).find(ticket) is None:
            await self.catch_up([partition])
        span = self._index(partition).span(ticket)
        return None if span is None else await self._at(span[0], ticket, partition)

    async def ends(self, ticket: Ticket, partition: int) -> tuple[Found[W], Found[W]] | None:
        """The first record of `ticket` and what is now the last; None where Kafka has them not."""
        await self.catch_up([partition])
        span = self._index(partition).span(ticket)
        if span is None:
            return None
        first, last = [await self._at(offset, ticket, partition) for offset in span]
        return None if first is None or last is None else (first, last)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _at(self, offset: int, ticket: Ticket, partition: int) -> Found[W] | None:
        if self._text_reader is None:
            self._text_reader = await self._stack.enter_async_context(reader(self._settings, prompt=True))
        place = self._topic, partition
        start, end = (await self._text_reader.bounds([place]))[place]
        if not start <= offset < end:
            await self.catch_up([partition])
            return None
        async for records in self._text_reader.read({place: (offset, offset + 1)}):
            word = await self._decoder.decode(records[0].value, self._word)
            if not isinstance(word, DeadLettered) and _ticket(word) == ticket:
                return Found(word, position_of(records[0]))
        return None

    async def follow(self) -> None:
        """Keep up with the records of the partitions that were asked for, until cancelled."""
        while True:
            try:
                await self.catch_up(tuple(self._indexes))
            except KafkaError as away:
                log.warning("%s cannot be read for the index of tickets: %s; trying again", self._topic, away)
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
            bounds = await self._index_reader.bounds((self._topic, number) for number in partitions)
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
            log.warning("%s[%d] was made anew: its index of tickets is, too", self._topic, partition)
            index.start_again()
        if self._starts.get(partition) != start:
            index.forget_before(start)
            self._starts[partition] = start
        return max(start, index.next), end

    async def _note(self, records: Sequence[Record]) -> None:
        found: list[tuple[Ticket, int]] = []
        for record in records:
            word = None if record.value is None else await self._decoder.decode(record.value, self._word)
            if isinstance(word, self._word):
                found.append((_ticket(word), record.offset))
        if (index := self._indexes.get(records[0].partition)) is not None:
            index.add(found, records[-1].offset)

    def _index(self, partition: int) -> Originals:
        if partition not in self._indexes:
            self._indexes[partition] = Originals(self.folder / f"{self._topic.split('.')[1]}-{partition}.sqlite")
        return self._indexes[partition]


def _ticket(word: TicketEvent | Decision) -> Ticket:
    return Ticket(word.tenant, word.source, word.ticket_id)
