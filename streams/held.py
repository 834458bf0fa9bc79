"""What people set on tickets, for each partition of the events as far as it was decided on.

It is a fold of the events' topic (`models.held`). A worker that gets a partition reads it from its start, or from what
is kept in the data folder, up to where it begins to decide.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from models.held import HeldFields
from schemas import topics
from schemas.errors import BadSettings, BadSnapshot
from schemas.events import TicketEvent
from schemas.held import HumanWord, human_word
from sinks.snapshots import SnapshotFolder
from streams.batches import Record
from streams.decoding import Decoder
from streams.reading import PatientReader, Place, Reader
from streams.settings import Settings

log = logging.getLogger("triage.held")

KEPT_EVERY = 2_000
"""Records of a partition from one file to the next: a start reads so many of each again at most."""

_KEPT = 4


class LiveHeld:
    """The fields that people have set, as each partition stands."""

    def __init__(
        self, settings: Settings, decoder: Decoder, folder: SnapshotFolder, *, every: int | None = KEPT_EVERY
    ) -> None:
        """With `every` None the folder is only read."""
        self._decoder = decoder
        self._folder = folder
        self._every = every
        self._source = PatientReader(settings)
        self._fields: dict[int, HeldFields] = {}
        self._through: dict[int, int] = {}
        """By partition: the last offset that its fields hold the effect of."""
        self._kept: dict[int, int] = {}
        self._unsure: set[int] = set()
        """Partitions that others may have worked on: what lies between is to be read."""
        self._reading: str | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._source.close()

    @property
    def waiting_for(self) -> str | None:
        """What is read again, which may take long: it waits for that, and is not stuck."""
        return self._reading

    def forget(self) -> None:
        """Partitions have come, and others have worked on them."""
        self._unsure = set(self._fields)

    async def come_to(self, partition: int, offset: int) -> None:
        """Know what holds at `offset`, before it is decided on: anew where it was come to before."""
        through = self._through.get(partition)
        if through is not None and partition not in self._unsure and offset > through:
            return  # what lies between are no records
        if through is None or offset <= through:
            self._fields[partition], self._through[partition] = self._nearest(partition, offset)
        await self._read_up_to(partition, offset)
        self._unsure.discard(partition)

    def of(self, record: Record, event: TicketEvent) -> Mapping[str, str]:
        """What people have set on the ticket of `event`, which is in `record`, before it."""
        return self._fields[record.partition].of(event, record.timestamp)

    def take(self, record: Record, event: TicketEvent | None) -> None:
        """Note what `record` says, once it is decided on; `event` is what is in it, where that can be read."""
        said = human_word(record.value, record.headers) if event is None else event
        if said is not None:
            self._fields[record.partition].take(said, record.timestamp)
        self._through[record.partition] = record.offset

    async def keep_now_and_then(self) -> None:
        """Write down what holds in partitions that have gone on far enough."""
        for partition, through in self._through.items():
            if self._every is None or through - self._kept.get(partition, -1) < self._every:
                continue
            data = self._fields[partition].to_bytes()
            try:
                await asyncio.to_thread(self._folder.save, _name(partition), through + 1, data)
                self._folder.prune(_name(partition), _KEPT)
            except (BadSettings, OSError) as error:
                log.warning("what people set is not kept, and a start will take longer: %s", error)
            self._kept[partition] = through

    def _nearest(self, partition: int, offset: int) -> tuple[HeldFields, int]:
        """What is kept of the time before `offset`, and the last offset that it holds; -1 where there is nothing."""
        for stored in reversed(self._folder.list(_name(partition))):
            if stored.learned > offset:
                continue
            try:
                found = HeldFields.from_bytes(self._folder.load(stored))
            except BadSnapshot as error:
                log.warning("%s: %s; an earlier one is taken", stored.file_name, error)
                continue
            self._kept[partition] = max(self._kept.get(partition, -1), stored.learned - 1)
            return found, stored.learned - 1
        return HeldFields(), -1

    async def _read_up_to(self, partition: int, offset: int) -> None:
        place = topics.EVENTS.name, partition
        if self._through[partition] + 1 >= offset:
            return
        try:
            await self._source.asked(place[0], lambda source: self._read_on(source, place, offset))
        finally:
            self._reading = None

    async def _read_on(self, source: Reader, place: Place, offset: int) -> None:
        partition = place[1]
        start, _ = (await source.bounds([place]))[place]
        first = max(start, self._through[partition] + 1)
        if first >= offset:
            return
        self._reading = f"what people set is read in {place[0]}[{partition}] from {first} to {offset - 1}"
        async for records in source.read({place: (first, offset)}):
            for record in records:
                said: TicketEvent | HumanWord | None = human_word(record.value, record.headers)
                if record.value is not None:
                    event = await self._decoder.decode(record.value, TicketEvent)
                    said = event if isinstance(event, TicketEvent) else None
                if said is not None:
                    self._fields[partition].take(said, record.timestamp)
                self._through[partition] = record.offset
            await asyncio.sleep(0)  # the other agents, health checks


def _name(partition: int) -> str:
    return f"events-{partition}"
