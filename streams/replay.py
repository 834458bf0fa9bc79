"""Deciding again: what the log's events give with the models that were live, beside what was emitted then.

Nothing is published, joined or committed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from models.decide import Models, decide
from models.sets import models_of
from schemas import topics
from schemas.codec import Codec, to_json
from schemas.dead_letters import PREFIX
from schemas.decisions import Assignment, Decision, LogPosition
from schemas.errors import BadSettings, ModelsNotReproducible
from schemas.events import TicketEvent
from schemas.model_log import activated_version
from streams.batches import Record, position_of
from streams.decoding import Decoder
from streams.model_log import ModelLog
from streams.reading import Place, Reader, places_of, reader
from streams.settings import Settings
from streams.topic_admin import committed_offsets

MOST_EXAMPLES = 20
CLOCKS_APART = timedelta(minutes=10)
"""Outputs are looked for from so long before their events' time: the clocks of sources and workers differ."""

Output = tuple[str, bytes]
"""Topic and value."""


class Verdict(StrEnum):
    """What deciding again says of one record of the events' topic."""

    IDENTICAL = "identical"
    DIFFERENT = "different"
    MISSING = "missing"
    """There should be an output, and there is none."""
    UNEXPECTED = "unexpected"
    """There is an output, and there should be none."""
    NOT_REPRODUCIBLE = "decided by another release"
    DEAD_LETTER = "dead letter"
    NOTHING_TO_DECIDE = "nothing to decide"
    """Resolved and closed tickets, and records by which models take over."""


GOOD = frozenset({Verdict.IDENTICAL, Verdict.DEAD_LETTER, Verdict.NOTHING_TO_DECIDE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One event whose verdict is not good, or, with another model, one decision that would have been another."""

    position: LogPosition
    verdict: str
    detail: str


@dataclass(slots=True)
class Report:
    """Counts over the events that were decided again."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    emitted_again: int = 0
    """Outputs that were emitted more than once, after crashes."""
    changes: Counter[str] = field(default_factory=Counter)
    """With another model: the field that would have changed, from what to what."""
    changed: int = 0
    """With another model: events with any such field."""
    examples: list[Example] = field(default_factory=list)

    @property
    def events(self) -> int:
        """The records of the events' topic that were looked at."""
        return self.verdicts.total()

    @property
    def good(self) -> bool:
        """Whether everything that was emitted could be made again, byte for byte."""
        return set(self.verdicts) <= GOOD

    def example(self, position: LogPosition, verdict: str, detail: str) -> None:
        """Keep an example, while there are few."""
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(Example(position=position, verdict=verdict, detail=detail))


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What to decide again: events by their record's time, of all partitions or one. `topic` has the outputs."""

    first: datetime | None = None
    last: datetime | None = None
    partition: int | None = None
    topic: str = topics.DECISIONS.name


def difference(then: Decision | Assignment, now: Decision | Assignment) -> str:
    """The fields in which two outputs differ, one line."""
    before, after = to_json(then), to_json(now)
    parts = [
        f"{name}: {before.get(name)!r} then, {after[name]!r} now" for name in after if before.get(name) != after[name]
    ]
    return "; ".join(parts) or "the same fields in other bytes: another schema"


class Replay:
    """Decides again. Give it a `model_log` that was read, and call `run`."""

    def __init__(self, settings: Settings, decoder: Decoder, codec: Codec, model_log: ModelLog) -> None:
        self._settings = settings
        self._decoder = decoder
        self._codec = codec
        self._log = model_log
        self._models: dict[str, Models | ModelsNotReproducible] = {}

    async def run(
        self, wanted: Range, *, on_progress: Callable[[int, int], None], other: Models | None = None
    ) -> Report:
        """Compare what was emitted with what the recorded models decide, or with what `other` would have decided.

        `on_progress` is told how many records were read and how many there are to read.
        """
        report = Report()
        async with reader(self._settings) as source:
            ranges = await self._ranges(source, wanted)
            bounds = await source.bounds(await places_of([wanted.topic], self._settings))
            total = sum(end - first for first, end in ranges.values())
            done = 0
            for place, span in ranges.items():
                emitted = await self._emitted(source, wanted, place, bounds)
                letters = await self._letters(source, place, span)
                async for records in source.read({place: span}):
                    for record in records:
                        await self._judge(record, emitted, letters, wanted, report, other)
                    done += len(records)
                    on_progress(done, total)
        return report

    async def _ranges(self, source: Reader, wanted: Range) -> dict[Place, tuple[int, int]]:
        """The offsets to decide again: not beyond what the triage agents have committed, which they may yet decide."""
        places = [
            place
            for place in await places_of([topics.EVENTS.name], self._settings)
            if wanted.partition in (None, place[1])
        ]
        if not places:
            raise BadSettings(f"{topics.EVENTS.name} has no partition {wanted.partition}")
        committed = await committed_offsets(f"{self._settings.app_id}.triage", places, self._settings)
        ranges: dict[Place, tuple[int, int]] = {}
        for place, (start, end) in (await source.bounds(places)).items():
            first = start if wanted.first is None else (await source.offset_at(place, wanted.first) or end)
            last = None if wanted.last is None else await source.offset_at(place, wanted.last)
            ranges[place] = (max(start, first), min(end, committed.get(place, start), end if last is None else last))
        return {place: span for place, span in ranges.items() if span[0] < span[1]}

    async def _emitted(
        self,
        source: Reader,
        wanted: Range,
        place: Place,
        bounds: Mapping[Place, tuple[int, int]],
    ) -> dict[int, list[bytes]]:
        """Event offset to the values that were emitted on the events of `place`."""
        ranges = dict(bounds)
        if wanted.topic == topics.DECISIONS.name:  # in their events' partitions; assignments go where their key says
            ranges = {key: bound for key, bound in bounds.items() if key[1] == place[1]}
        if wanted.first is not None:
            for key, (start, end) in ranges.items():
                since = await source.offset_at(key, wanted.first - CLOCKS_APART)
                ranges[key] = (max(start, end if since is None else since), end)
        found: defaultdict[int, list[bytes]] = defaultdict(list)
        word = Decision if wanted.topic == topics.DECISIONS.name else Assignment
        async for records in source.read(ranges):
            for record in records:
                output = await self._decoder.decode(record.value, word)
                if isinstance(output, Decision | Assignment) and (output.event.topic, output.event.partition) == place:
                    found[output.event.offset].append(record.value or b"")
        return found

    async def _letters(self, source: Reader, place: Place, span: tuple[int, int]) -> set[int]:
        """The offsets of the events of `span` that became dead letters."""
        letters = await source.bounds([(topics.DEAD_LETTERS.name, place[1])])
        found: set[int] = set()
        async for records in source.read(letters):
            for record in records:
                headers = dict(record.headers)
                if headers.get(f"{PREFIX}topic") == place[0].encode() and (at := headers.get(f"{PREFIX}offset")):
                    found.add(int(at))
        return {offset for offset in found if span[0] <= offset < span[1]}

    async def _judge(
        self,
        record: Record,
        emitted: Mapping[int, Sequence[bytes]],
        letters: set[int],
        wanted: Range,
        report: Report,
        other: Models | None,
    ) -> None:
        position = position_of(record)
        outputs = emitted.get(record.offset, ())
        report.emitted_again += max(0, len(outputs) - 1)
        verdict, detail = await self._verdict(record, outputs, letters, wanted, report, other)
        report.verdicts[verdict] += 1
        if verdict not in GOOD:
            report.example(position, verdict, detail)

    async def _verdict(
        self,
        record: Record,
        outputs: Sequence[bytes],
        letters: set[int],
        wanted: Range,
        report: Report,
        other: Models | None,
    ) -> tuple[Verdict, str]:
        event = await self._decoder.decode(record.value, TicketEvent)
        if record.offset in letters:
            return Verdict.DEAD_LETTER, ""
        if not isinstance(event, TicketEvent):
            if activated_version(record.value, record.headers) is not None:
                return Verdict.NOTHING_TO_DECIDE, ""
            return Verdict.MISSING, f"a dead letter: {event}"
        if not event.kind.needs_decision:
            return (Verdict.UNEXPECTED, "an output") if outputs else (Verdict.NOTHING_TO_DECIDE, "")
        version = self._log.lineage.at(record.partition, record.offset)
        models = self._of(version) if version else None
        if models is None or isinstance(models, ModelsNotReproducible):
            return Verdict.NOT_REPRODUCIBLE, str(models or "no models are recorded before this event")
        position = position_of(record)
        decision = decide(event, position, models)
        if other is not None:
            self._note_changes(decision, decide(event, position, other), report)
        return self._compared(decision, outputs, wanted)

    def _compared(self, decision: Decision, outputs: Sequence[bytes], wanted: Range) -> tuple[Verdict, str]:
        now: Decision | Assignment = decision
        if wanted.topic != topics.DECISIONS.name:
            now = Assignment.of(decision)
            if topics.assignments(decision.queue).name != wanted.topic:
                return (Verdict.UNEXPECTED, "an output") if outputs else (Verdict.NOTHING_TO_DECIDE, "")
        if not outputs:
            return Verdict.MISSING, f"{type(now).__name__.lower()} {now.decision_id}"
        value = self._codec.encode(now)
        for then in outputs:
            if then != value:
                return Verdict.DIFFERENT, difference(self._codec.decode(then, type(now)), now)
        return Verdict.IDENTICAL, ""

    @staticmethod
    def _note_changes(then: Decision, now: Decision, report: Report) -> None:
        found = list(changes(then, now))
        report.changed += bool(found)
        report.changes.update(found)
        if found:
            report.example(then.event, "would change", f"{then.ticket_id}: {'; '.join(found)}")

    def _of(self, version: str) -> Models | ModelsNotReproducible:
        if version not in self._models:
            try:
                self._models[version] = models_of(self._log.sets[version])
            except ModelsNotReproducible as error:
                self._models[version] = error
        return self._models[version]


def changes(then: Decision, now: Decision) -> Iterator[str]:
    """What a downstream system would have seen otherwise."""
    for name in ("category", "intent", "priority", "language", "sentiment"):
        before, after = getattr(then, name).label, getattr(now, name).label
        if before != after:
            yield f"{name} {before} -> {after}"
    for name in ("team", "queue", "band"):
        before, after = str(getattr(then, name)), str(getattr(now, name))
        if before != after:
            yield f"{name} {before} -> {after}"
