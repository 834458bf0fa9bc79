"""Reading the dead-letter topic, and publishing its records again where they stood."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

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
from streams.reading import Reader, reader
from streams.settings import Settings
from streams.topic_admin import partition_counts

BATCH = 200
"""Letters redriven at a time: after a crash, so many at most are redriven without being marked."""


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
    """Reads the dead-letter topic; made by `letter_reader`."""

    def __init__(self, reader: Reader, partitions: Mapping[str, int]) -> None:
        """`partitions` has the topics of the pipeline."""
        self._reader = reader
        self._partitions = partitions

    @property
    def origins(self) -> Mapping[str, int]:
        """The topics that records may go back to, with the number of their partitions."""
        return {name: count for name, count in self._partitions.items() if name != DEAD_LETTERS.name}

    async def letters(self, *, since: datetime | None, on_progress: Callable[[int, int], None]) -> list[Listed]:
        """All letters, by partition and offset; with `since`, those before it may be missing.

        A letter that repeats another (a worker died before it committed, and did its work again) counts as redriven
        with it. `on_progress` gets the records read and how many there are.
        """
        places = [(DEAD_LETTERS.name, number) for number in range(self._partitions[DEAD_LETTERS.name])]
        ranges = await self._reader.bounds(places)
        if since is not None:
            for place, (_, end) in ranges.items():
                first = await self._reader.offset_at(place, since)
                ranges[place] = (end if first is None else first, end)
        read, total = 0, sum(end - first for first, end in ranges.values())
        on_progress(read, total)
        found: dict[Place, Listed] = {}
        redriven: dict[Place, datetime] = {}
        async for records in self._reader.read(ranges):
            for record in records:
                place = Place(record.partition, record.offset)
                if (marked := marked_place(record.value, record.headers)) is not None:
                    redriven[marked] = time_of(record)
                else:
                    found[place] = _listed(place, record)
            read += len(records)
            on_progress(read, total)
        origins = {found[place].identity: at for place, at in redriven.items() if place in found}
        return [
            replace(listed, redriven_at=redriven.get(place) or origins.get(listed.identity))
            for place, listed in sorted(found.items())
        ]

    async def records(self, places: Collection[Place]) -> dict[Place, Record]:
        """The whole records at those of `places` where one is (still)."""
        by_partition: dict[int, list[int]] = {}
        for place in places:
            by_partition.setdefault(place.partition, []).append(place.offset)
        spans = {(DEAD_LETTERS.name, number): (min(wanted), max(wanted)) for number, wanted in by_partition.items()}
        wanted = set(places)
        return {
            place: record
            async for record in self._between(spans)
            if (place := Place(record.partition, record.offset)) in wanted
        }

    async def original(self, position: LogPosition) -> Record | None:
        """The record at `position` of one of our topics; None where it is there no more."""
        span = {(position.topic, position.partition): (position.offset, position.offset)}
        found = [record async for record in self._between(span)]
        return found[0] if found else None

    async def _between(self, spans: Mapping[tuple[str, int], tuple[int, int]]) -> AsyncIterator[Record]:
        """The records of each place from the first to the last offset of its span, as far as they are there."""
        known = [(topic, number) for topic, number in spans if number < self._partitions.get(topic, 0)]
        bounds = await self._reader.bounds(known)
        ranges = {
            place: (max(spans[place][0], first), min(spans[place][1] + 1, end))
            for place, (first, end) in bounds.items()
        }
        async for records in self._reader.read(ranges):
            for record in records:
                yield record


@asynccontextmanager
async def letter_reader(settings: Settings, table: Iterable[Topic]) -> AsyncIterator[LetterReader]:
    """A reader of the dead letters of a pipeline with the topics `table`. Raises TopicsDiffer where they have none."""
    partitions = await partition_counts([topic.name for topic in table], settings)
    if DEAD_LETTERS.name not in partitions:
        raise TopicsDiffer(f"{DEAD_LETTERS.name} does not exist. Create the topics with: triage topics")
    async with reader(settings) as opened:
        yield LetterReader(opened, partitions)


def to_redrive(letters: Iterable[Listed], *, again: bool) -> list[Listed]:
    """Those of `letters` to redrive: none twice and, unless `again`, none that was redriven already."""
    return list({listed.identity: listed for listed in letters if again or listed.redriven_at is None}.values())


async def redrive(
    places: Sequence[Place],
    *,
    letters: LetterReader,
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

    for start in range(0, len(places), BATCH):
        chosen = places[start : start + BATCH]
        found = await letters.records(chosen)
        for place in chosen:
            made = await _again(place, found.get(place), letters)
            if isinstance(made, str):
                refused.append((place, made))
                on_progress(1)
            else:
                batch.append(made)
                marks.append(_mark(place, found[place].key))
        await flush()
    return Outcome(redriven=redriven, refused=tuple(refused))


async def _again(place: Place, record: Record | None, letters: LetterReader) -> Outgoing | str:
    """The record that goes back to where it stood, or why none does."""
    if record is None:
        return "there is no such letter (any more)"
    if (marked := marked_place(record.value, record.headers)) is not None:
        return f"it is no letter: it marks that {marked} was redriven"
    letter = DeadLetter.read(record.key, record.value, record.headers, failed_at=time_of(record))
    if (reason := refusal(letter, letters.origins)) is not None:
        return reason
    source = record
    if missing := left_out(record.headers):
        original = await letters.original(letter.origin)
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
