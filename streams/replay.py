"""Deciding again: what the log's events give with the models that were live, beside what was emitted then.

Nothing is published, joined or committed.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from models.decide import Models, decide
from models.sets import SET, models_of
from schemas import topics
from schemas.codec import Codec, to_json
from schemas.dead_letters import DeadLetter
from schemas.decisions import Assignment, Decision, LogPosition
from schemas.errors import BadSettings, DeadLettered, ModelsNotReproducible, UnknownModels
from schemas.events import TicketEvent
from schemas.held import human_word
from schemas.lessons import activated_lessons
from schemas.model_log import activated_version
from schemas.open_incidents import told_incidents
from streams.batches import Record, position_of, time_of
from streams.decoding import Decoder
from streams.held import LiveHeld
from streams.lessons import LiveLessons
from streams.model_log import ModelLog
from streams.open_incidents import LiveIncidents
from streams.reading import Place, Reader, places_of, reader
from streams.settings import Settings
from streams.topic_admin import committed_offsets

MOST_EXAMPLES = 20
CLOCKS_APART = timedelta(minutes=10)
"""Outputs are looked for from so long before their events' time: the clocks of sources and workers differ."""

_EPOCH = datetime.fromtimestamp(0, UTC)


class Verdict(StrEnum):
    """What deciding again says of one record of the events' topic."""

    IDENTICAL = "identical"
    DIFFERENT = "different"
    MISSING = "missing"
    """There should be an output, and there is none."""
    UNEXPECTED = "unexpected"
    """There is an output, and there should be none."""
    NOT_REPRODUCIBLE = "decided by another release"
    NOT_KEPT = "output no longer kept"
    """The event is older than what Kafka keeps of the outputs."""
    DEAD_LETTER = "dead letter"
    NOTHING_TO_DECIDE = "nothing to decide"
    """Resolved and closed tickets, and records that say which models, lessons and incidents hold."""


GOOD = frozenset({Verdict.IDENTICAL, Verdict.NOT_KEPT, Verdict.DEAD_LETTER, Verdict.NOTHING_TO_DECIDE})


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
    waiting: int = 0
    """Records of the events' topic that are not decided and committed yet."""
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


def without(output: Decision | Assignment, lacks: Collection[str]) -> Decision | Assignment:
    """`output` with its defaults in the fields that an earlier schema `lacks`."""
    defaults = {item.name: item.default for item in fields(output) if item.name in lacks}
    return replace(output, **defaults) if defaults else output


@dataclass(frozen=True, slots=True)
class _Emitted:
    """An output as it was emitted: a digest of its value, and where it stands.

    `lacks` are the fields that its schema did not have: it says nothing of them.
    """

    digest: bytes
    place: Place
    offset: int
    lacks: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Outputs:
    """What was emitted on the events of one partition."""

    by_offset: Mapping[int, Sequence[_Emitted]]
    kept_since: datetime
    """Outputs on events before it may have been deleted."""


class Replay:
    """Decides again. Give it a `model_log` that was read, and call `run`."""

    def __init__(
        self,
        settings: Settings,
        decoder: Decoder,
        codec: Codec,
        model_log: ModelLog,
        lessons: LiveLessons,
        incidents: LiveIncidents,
        held: LiveHeld,
    ) -> None:
        self._settings = settings
        self._decoder = decoder
        self._codec = codec
        self._log = model_log
        self._lessons = lessons
        self._incidents = incidents
        self._held = held
        self._models: dict[str, Models | ModelsNotReproducible] = {}

    async def run(
        self, wanted: Range, *, on_progress: Callable[[int, int], None], other: Models | None = None
    ) -> Report:
        """Compare what was emitted with what the recorded models decide, or with what `other` would have decided.

        `on_progress` is told how many records were read and how many there are to read. Raises BadSettings where the
        group of the triage workers has committed nothing.
        """
        report = Report()
        async with reader(self._settings) as source:
            ranges = await self._ranges(source, wanted, report)
            bounds = await source.bounds(await places_of([wanted.topic], self._settings))
            together = wanted.topic != topics.DECISIONS.name  # assignments go where their key says
            outputs = await self._outputs(source, wanted, ranges, bounds) if together else {}
            total = sum(end - first for first, end in ranges.values())
            done = 0
            for place, span in ranges.items():
                if not together:
                    of_place = {key: bound for key, bound in bounds.items() if key[1] == place[1]}
                    outputs = await self._outputs(source, wanted, {place: span}, of_place)
                letters = await self._letters(source, place, span)
                suspects: list[tuple[Record, Decision]] = []
                async for records in source.read({place: span}):
                    for record in records:
                        found = await self._judge(record, outputs[place], letters, wanted, report, other)
                        suspects += [] if found is None else [(record, found)]
                    done += len(records)
                    on_progress(done, total)
                for record, decision in suspects:
                    await self._look_closer(source, record, decision, outputs[place], wanted, report)
        return report

    async def _ranges(self, source: Reader, wanted: Range, report: Report) -> dict[Place, tuple[int, int]]:
        """The offsets to decide again: not beyond what the triage workers have committed, which they may yet decide."""
        everywhere = await places_of([topics.EVENTS.name], self._settings)
        places = [place for place in everywhere if wanted.partition in (None, place[1])]
        if not places:
            raise BadSettings(f"{topics.EVENTS.name} has no partition {wanted.partition}")
        group = f"{self._settings.app_id}.triage"
        committed = await committed_offsets(group, everywhere, self._settings)
        bounds = await source.bounds(places)
        if not committed and any(first < end for first, end in bounds.values()):
            raise BadSettings(
                f"the group {group} has committed nothing: no worker has decided yet, or TRIAGE_APP_ID is another one "
                "than theirs, or Kafka has forgotten a group that was away for long"
            )
        ranges: dict[Place, tuple[int, int]] = {}
        for place, (start, end) in bounds.items():
            first = start if wanted.first is None else await source.offset_at(place, wanted.first)
            last = end if wanted.last is None else await source.offset_at(place, wanted.last)
            first, last = (end if first is None else max(start, first)), (end if last is None else last)
            decided = min(last, committed.get(place, start))
            report.waiting += max(0, last - max(first, decided))
            ranges[place] = (first, decided)
        return {place: span for place, span in ranges.items() if span[0] < span[1]}

    async def _outputs(
        self,
        source: Reader,
        wanted: Range,
        spans: Mapping[Place, tuple[int, int]],
        bounds: Mapping[Place, tuple[int, int]],
    ) -> dict[Place, _Outputs]:
        """What was emitted on the events of `spans`, from the records within `bounds`."""
        ranges = dict(bounds)
        if wanted.first is not None:
            for key, (start, end) in ranges.items():
                since = await source.offset_at(key, max(wanted.first - CLOCKS_APART, _EPOCH))
                ranges[key] = (end if since is None else max(start, since), end)
        found: dict[Place, defaultdict[int, list[_Emitted]]] = {place: defaultdict(list) for place in spans}
        word = Decision if wanted.topic == topics.DECISIONS.name else Assignment
        frame = self._codec.frame(word)
        kept_since = _EPOCH
        async for records in source.read(ranges):
            key = records[0].topic, records[0].partition
            if bounds[key][0] > 0 and records[0].offset == ranges[key][0] == bounds[key][0]:
                kept_since = max(kept_since, time_of(records[0]))
            for record in records:
                output = await self._decoder.decode(record.value, word)
                if record.value is None or not isinstance(output, Decision | Assignment):
                    continue
                place = output.event.topic, output.event.partition
                span = spans.get(place, (0, 0))
                if span[0] <= output.event.offset < span[1]:
                    # What an earlier release wrote by an earlier schema is compared as it is written now.
                    value, lacks = record.value, frozenset[str]()
                    if not value.startswith(frame):
                        value, lacks = self._codec.encode(output), self._codec.lacking(value, word)
                    emitted = _Emitted(_digest(value), key, record.offset, lacks)
                    found[place][output.event.offset].append(emitted)
        return {place: _Outputs(by_offset, kept_since) for place, by_offset in found.items()}

    async def _letters(self, source: Reader, place: Place, span: tuple[int, int]) -> set[int]:
        """The offsets of the events of `span` that became dead letters."""
        letters = await source.bounds([(topics.DEAD_LETTERS.name, place[1])])
        found: set[int] = set()
        async for records in source.read(letters):
            for record in records:
                letter = DeadLetter.read(record.key, None, record.headers, failed_at=_EPOCH)
                if (letter.origin.topic, letter.origin.partition) == place:
                    found.add(letter.origin.offset)
        return {offset for offset in found if span[0] <= offset < span[1]}

    async def _judge(
        self,
        record: Record,
        outputs: _Outputs,
        letters: set[int],
        wanted: Range,
        report: Report,
        other: Models | None,
    ) -> Decision | None:
        """Judge one record; where an output has other bytes, give the decision to look closer at."""
        emitted = outputs.by_offset.get(record.offset, ())
        report.emitted_again += max(0, len(emitted) - 1)
        event = await self._decoder.decode(record.value, TicketEvent)
        await self._learn(record)
        await self._held.come_to(record.partition, record.offset)
        verdict, detail, decision = self._verdict(record, event, emitted, wanted)
        if decision is not None and other is not None and isinstance(event, TicketEvent):
            held = self._held.of(record, event)
            self._note_changes(decision, event, self._knowing(other, record), held, report)
        self._held.take(record, event if isinstance(event, TicketEvent) else None)
        if verdict is Verdict.DIFFERENT:
            return decision
        if verdict is Verdict.MISSING and record.offset in letters:
            verdict = Verdict.DEAD_LETTER
        elif verdict is Verdict.MISSING and time_of(record) < outputs.kept_since:
            verdict = Verdict.NOT_KEPT
        report.verdicts[verdict] += 1
        if verdict not in GOOD:
            report.example(position_of(record), verdict, detail)
        return None

    async def _learn(self, record: Record) -> None:
        """Know the lessons and incidents that held at this record, or take effect by it."""
        await self._incidents.come_to(record.partition, record.offset)
        if (told := told_incidents(record.value, record.headers)) is not None:
            self._incidents.take(told, record.partition, record.offset)
        await self._lessons.come_to(record.partition, record.offset)
        await self._lessons.prepare(record.partition)
        if (last := activated_lessons(record.value, record.headers)) is not None:
            with suppress(UnknownModels):  # then it is a dead letter, and those before it hold
                await self._lessons.activate(last, record.partition)

    def _knowing(self, models: Models, record: Record) -> Models:
        """`models` with the lessons and incidents that hold at this record."""
        taught = self._lessons.knowing(models, record.partition)
        return self._incidents.knowing(taught, record.partition, record.offset)

    def _verdict(
        self, record: Record, event: TicketEvent | DeadLettered, emitted: Sequence[_Emitted], wanted: Range
    ) -> tuple[Verdict, str, Decision | None]:
        """The verdict, what to say of it, and the decision that was made now, where one is due."""
        decision, detail = self._decided(record, event)
        if decision is not None:
            return (*self._compared(decision, emitted, wanted), decision)
        if detail is None:
            verdict = Verdict.NOTHING_TO_DECIDE
        elif isinstance(detail, ModelsNotReproducible):
            return Verdict.NOT_REPRODUCIBLE, str(detail), None
        else:
            verdict = Verdict.MISSING
        if emitted:
            return Verdict.UNEXPECTED, f"{len(emitted)} outputs", None
        return verdict, f"a dead letter: {detail}", None

    def _decided(self, record: Record, event: TicketEvent | DeadLettered) -> tuple[Decision | None, Exception | None]:
        """The decision on a record; where there is none, the error that forbids it, or None where none is due."""
        if not isinstance(event, TicketEvent):
            version = activated_version(record.value, record.headers)
            last = activated_lessons(record.value, record.headers)
            known = last is not None and last == self._lessons.known(record.partition)
            known |= told_incidents(record.value, record.headers) is not None
            known |= human_word(record.value, record.headers) is not None
            return None, None if known or version in self._log.sets else event
        if not event.kind.needs_decision:
            return None, None
        version = self._log.lineage.at(record.partition, record.offset)
        models = self._of(version) if version else ModelsNotReproducible("no models are recorded before this event")
        if isinstance(models, ModelsNotReproducible):
            return None, models
        try:
            return decide(event, position_of(record), self._knowing(models, record), self._held.of(record, event)), None
        except Exception as error:  # noqa: BLE001  as in the agent, where it makes a dead letter
            return None, error

    def _compared(self, decision: Decision, emitted: Sequence[_Emitted], wanted: Range) -> tuple[Verdict, str]:
        now = _output(decision, wanted)
        if now is None:
            return (Verdict.UNEXPECTED, "an output") if emitted else (Verdict.NOTHING_TO_DECIDE, "")
        if not emitted:
            return Verdict.MISSING, f"{type(now).__name__.lower()} {now.decision_id}"
        same = all(then.digest == self._digest_of(now, then.lacks) for then in emitted)
        return (Verdict.IDENTICAL, "") if same else (Verdict.DIFFERENT, "")

    def _digest_of(self, output: Decision | Assignment, lacks: frozenset[str]) -> bytes:
        """That of `output` as a schema which lacks some fields tells it."""
        return _digest(self._codec.encode(without(output, lacks)))

    async def _look_closer(
        self, source: Reader, record: Record, decision: Decision, outputs: _Outputs, wanted: Range, report: Report
    ) -> None:
        """Read the outputs on one event again, and say in what they differ from what is decided now."""
        now = _output(decision, wanted)
        if now is None:
            raise ValueError("what differs is of another topic")
        verdict, detail = Verdict.DIFFERENT, "it is there no more"
        emitted = outputs.by_offset[record.offset]
        other = next(one for one in emitted if one.digest != self._digest_of(now, one.lacks))
        async for records in source.read({other.place: (other.offset, other.offset + 1)}):
            then = self._codec.decode(records[0].value, type(now))
            detail = difference(then, without(now, other.lacks))
            by = then.models.get(SET) if isinstance(then, Decision) else None
            if by is not None and by != decision.models[SET]:
                verdict = Verdict.NOT_REPRODUCIBLE
                detail = f"decided by {by}, where the log says {decision.models[SET]}"
        report.verdicts[verdict] += 1
        report.example(position_of(record), verdict, detail)

    @staticmethod
    def _note_changes(
        then: Decision, event: TicketEvent, other: Models, held: Mapping[str, str], report: Report
    ) -> None:
        try:
            found = list(changes(then, decide(event, then.event, other, held)))
        except Exception as error:  # noqa: BLE001  with these models it would be a dead letter
            found = [f"a decision -> a dead letter: {type(error).__name__}"]
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
            except KeyError:
                self._models[version] = ModelsNotReproducible(f"{topics.MODEL_SETS.name} has no set {version}")
        return self._models[version]


def _output(decision: Decision, wanted: Range) -> Decision | Assignment | None:
    """What follows from `decision` on the topic that is looked at; None where nothing does."""
    if wanted.topic == topics.DECISIONS.name:
        return decision
    return Assignment.of(decision) if topics.assignments(decision.queue).name == wanted.topic else None


def _digest(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()


def changes(then: Decision, now: Decision) -> Iterator[str]:
    """What a downstream system would have seen otherwise."""
    for name in ("category", "intent", "priority", "language", "sentiment"):
        before, after = getattr(then, name).label, getattr(now, name).label
        if before != after:
            yield f"{name} {before} -> {after}"
    for name in ("team", "queue", "band", "incident_id"):
        before, after = str(getattr(then, name)), str(getattr(now, name))
        if before != after:
            yield f"{name} {before} -> {after}"
