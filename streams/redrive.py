"""Reading the dead-letter topic, and publishing its records again where they stood."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.dead_letters import (
    DeadLetter,
    Place,
    left_out,
    mark_headers,
    marked_place,
    redriven_headers,
    refusal,
)
from schemas.decisions import LogPosition
from schemas.errors import TopicsDiffer
from schemas.topics import DEAD_LETTERS, Topic
from streams.batches import Record, time_of
from streams.publish import Outgoing, Publisher
from streams.settings import Settings
from streams.topic_admin import partition_counts

BATCH = 200
"""Letters redriven at a time: after a crash, so many at most are redriven without being marked."""

_WAIT_MS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A letter without its value and stack trace, which stay in Kafka."""

    place: Place
    letter: DeadLetter
    value_bytes: int | None
    left_out: str
    redriven_at: datetime | None = None

    @property
    def identity(self) -> object:
        """What letters that repeat each other share; that of a foreign writer repeats none."""
        return (self.letter.origin, self.letter.stage) if self.letter.has_origin else self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a redrive did: letters published again and marked, and those that were refused, with the reason."""

    redriven: int
    refused: tuple[tuple[Place, str], ...]


class LetterReader:
    """Reads the dead-letter topic; joins no group and commits nothing. An async context manager.

    Raises TopicsDiffer where the topic does not exist.
    """

    def __init__(self, settings: Settings, table: Iterable[Topic]) -> None:
        """`table` has the topics of the pipeline."""
        self._settings = settings
        self._names = [topic.name for topic in table]
        self._consumer = AIOKafkaConsumer(
            **settings.kafka_options(), auto_offset_reset="earliest", enable_auto_commit=False
        )
        self._partitions: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        self._partitions = await partition_counts(self._names, self._settings)
        if DEAD_LETTERS.name not in self._partitions:
            raise TopicsDiffer(f"{DEAD_LETTERS.name} does not exist. Create the topics with: triage topics")
        await self._consumer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    @property
    def origins(self) -> Mapping[str, int]:
        """The topics that records may go back to, with the number of their partitions."""
        return {name: count for name, count in self._partitions.items() if name != DEAD_LETTERS.name}

    async def letters(self, *, since: datetime | None, on_progress: Callable[[int, int], None]) -> list[Listed]:
        """All letters, by partition and offset; with `since`, those before it may be missing.

        A letter that repeats another (a worker died before it committed, and did its work again) counts as redriven
        with it. `on_progress` gets the records read and how many there are.
        """
        found: dict[Place, Listed] = {}
        redriven: dict[Place, datetime] = {}
        async for record in self._from(since, on_progress):
            place = Place(record.partition, record.offset)
            if (marked := marked_place(record.value, record.headers)) is not None:
                redriven[marked] = time_of(record)
            else:
                found[place] = _listed(place, record)
        origins = {found[place].identity: at for place, at in redriven.items() if place in found}
        return [
            replace(listed, redriven_at=redriven.get(place) or origins.get(listed.identity))
            for place, listed in sorted(found.items())
        ]

    async def records(self, places: Iterable[Place]) -> AsyncIterator[tuple[Place, Record | None]]:
        """The whole records at `places`, by partition and offset; None where none is (any more)."""
        by_partition: dict[int, list[int]] = {}
        for place in sorted(set(places)):
            by_partition.setdefault(place.partition, []).append(place.offset)
        for partition, offsets in by_partition.items():
            wanted = set(offsets)
            async for record in self._range(DEAD_LETTERS.name, partition, offsets[0], offsets[-1]):
                if record.offset in wanted:
                    wanted.remove(record.offset)
                    yield Place(partition, record.offset), record
            for offset in sorted(wanted):
                yield Place(partition, offset), None

    async def original(self, position: LogPosition) -> Record | None:
        """The record at `position` of one of our topics; None where it is there no more."""
        async for record in self._range(position.topic, position.partition, position.offset, position.offset):
            if record.offset == position.offset:
                return record
        return None

    async def _from(self, since: datetime | None, on_progress: Callable[[int, int], None]) -> AsyncIterator[Record]:
        consumer = self._consumer
        places = [TopicPartition(DEAD_LETTERS.name, number) for number in range(self._partitions[DEAD_LETTERS.name])]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        starts = await consumer.beginning_offsets(places)
        if since is not None:
            found = await consumer.offsets_for_times(dict.fromkeys(places, int(since.timestamp() * 1000)))
            starts = {place: at.offset if (at := found[place]) is not None else ends[place] for place in places}
        for place in places:
            consumer.seek(place, starts[place])
        read, total = 0, sum(ends[place] - starts[place] for place in places)
        on_progress(read, total)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=_WAIT_MS)).values():
                for record in records:
                    yield record
                read += len(records)
            on_progress(min(read, total), total)

    async def _range(self, topic: str, partition: int, first: int, last: int) -> AsyncIterator[Record]:
        """The records of one partition from offset `first` to `last`, as far as they are there."""
        if not 0 <= partition < self._partitions.get(topic, 0):
            return
        place, consumer = TopicPartition(topic, partition), self._consumer
        consumer.assign([place])
        start = max(first, (await consumer.beginning_offsets([place]))[place])
        end = min(last + 1, (await consumer.end_offsets([place]))[place])
        if start >= end:
            return
        consumer.seek(place, start)
        while await consumer.position(place) < end:
            for record in (await consumer.getmany(timeout_ms=_WAIT_MS)).get(place, ()):
                if record.offset <= last:
                    yield record


def to_redrive(letters: Iterable[Listed], *, again: bool) -> list[Listed]:
    """Those of `letters` to redrive: none twice and, unless `again`, none that was redriven already."""
    return list({listed.identity: listed for listed in letters if again or listed.redriven_at is None}.values())


async def redrive(
    places: Sequence[Place],
    *,
    reader: LetterReader,
    publisher: Publisher,
    on_progress: Callable[[int], None],
) -> Outcome:
    """Publish the records of the letters at `places` where they stood, in the letters' order, and mark the letters.

    Key, value and headers are the original's, so that the event keeps its identity and its decision keeps its id.
    Each mark follows the acknowledgement of its record: a crash between leaves a letter that can be redriven again.
    `on_progress` gets the letters done since its last call.
    """
    redriven = 0
    refused: list[tuple[Place, str]] = []
    batch: list[Outgoing] = []
    marks: list[Outgoing] = []

    async def flush() -> None:
        nonlocal redriven
        await publisher.publish(batch)
        await publisher.publish(marks)
        on_progress(len(batch))
        redriven += len(batch)
        batch.clear()
        marks.clear()

    # Two passes over a batch, since looking up an original moves the reader.
    for start in range(0, len(places), BATCH):
        chosen = [found async for found in reader.records(places[start : start + BATCH])]
        for place, record in chosen:
            made = await _again(place, record, reader)
            if isinstance(made, str):
                refused.append((place, made))
                on_progress(1)
            else:
                batch.append(made)
                marks.append(_mark(place, record.key if record is not None else None))
        await flush()
    return Outcome(redriven=redriven, refused=tuple(refused))


async def _again(place: Place, record: Record | None, reader: LetterReader) -> Outgoing | str:
    """The record that goes back to where it stood, or why none does."""
    if record is None:
        return "there is no such letter (any more)"
    if (marked := marked_place(record.value, record.headers)) is not None:
        return f"it is no letter: it marks that {marked} was redriven"
    letter = DeadLetter.read(record.key, record.value, record.headers, failed_at=time_of(record))
    if (reason := refusal(letter, reader.origins)) is not None:
        return reason
    source = record
    if missing := left_out(record.headers):
        original = await reader.original(letter.origin)
        if original is None:
            return f"it was too large for a letter ({missing}), and its original is no longer in Kafka"
        source = original
    return Outgoing(
        topic=letter.origin.topic,
        key=source.key,
        value=source.value,
        headers=redriven_headers(source.headers, place),
        partition=letter.origin.partition,
    )


def _mark(place: Place, key: bytes | None) -> Outgoing:
    return Outgoing(
        topic=DEAD_LETTERS.name, key=key, value=None, headers=mark_headers(place), partition=place.partition
    )


def _listed(place: Place, record: Record) -> Listed:
    letter = DeadLetter.read(record.key, None, record.headers, failed_at=time_of(record))
    return Listed(
        place=place,
        letter=replace(letter, stacktrace=""),
        value_bytes=None if record.value is None else len(record.value),
        left_out=left_out(record.headers),
    )
