"""What people teach, as the log has it: the lessons in one order, and from which event on each is known.

Lessons stand on a topic of one partition. They take effect by records without a value on the events' topic, one in each
partition, whose header names the last lesson that is known from there on; the newest such record holds. So the place
is the same for every reader. There is no other note of it: a worker that begins in the middle looks back for the newest
one, and a learner repeats what holds every few minutes, so that it need not look far and Kafka does not forget it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from models.decide import CODE_VERSION, Models
from models.sets import with_lessons
from schemas import topics
from schemas.codec import Codec
from schemas.dead_letters import Header
from schemas.decisions import LogPosition
from schemas.errors import BadSettings, BadSnapshot, ModelsNotReproducible, UnknownModels
from schemas.feedback import Feedback
from schemas.lessons import LEARNED_HEADS, LESSONS_HEADER, Lesson, activated_lessons, asked_at, asked_at_header
from schemas.model_log import SnapshotPublished
from sinks.snapshots import SnapshotStore, StoredSnapshot
from streams.batches import Record
from streams.decoding import Decoder
from streams.publish import Outgoing
from streams.reading import PatientReader, Place, newest_before
from streams.settings import Settings

if TYPE_CHECKING:
    from models.learned import Learned

log = logging.getLogger("triage.lessons")

T = TypeVar("T")

LESSONS: Place = (topics.LESSONS.name, 0)

CHECKPOINT_EVERY = 500
"""Lessons from one checkpoint to the next: as many are learned in a second or two."""

NEVER = 1 << 62
"""For who only reads checkpoints."""

MOST_KEPT = 2_000
"""Lessons that stay in memory once they were learned. Older ones are read again where they are needed again."""

_CHECKPOINT, _KEPT = "lessons", 4

_STORE_ANSWERS_WITHIN_SECONDS = 30.0
"""Of the snapshot store: decisions do not wait for it longer than that."""


class LessonReader(PatientReader):
    """Reads lessons and their activations."""

    def __init__(self, settings: Settings, decoder: Decoder) -> None:
        super().__init__(settings)
        self._decoder = decoder
        self._read: dict[int, Lesson] = {}
        """By offset: the newest `MOST_KEPT`, since a partition that is behind has to learn them again."""
        self._times: dict[LogPosition, datetime] = {}
        """By the place of the feedback: the time of the ticket."""
        self._read_from, self._read_to = 0, 0

    async def end(self) -> int:
        """The offset after the last lesson."""
        return (await self._bounds_of_lessons())[1]

    async def start(self) -> int:
        """The offset of the first lesson that Kafka has."""
        return (await self._bounds_of_lessons())[0]

    async def _bounds_of_lessons(self) -> tuple[int, int]:
        return (await self.asked(LESSONS[0], lambda source: source.bounds([LESSONS])))[LESSONS]

    async def has(self, number: int) -> bool:
        """Whether there is a lesson `number`."""
        return number < self._read_to or number < await self.end()

    async def lessons(self, first: int, last: int) -> list[Lesson]:
        """The lessons from `first` to `last`. Raises ModelsNotReproducible where the log has lost some of them."""
        self._forget()
        if not self._read:
            self._read_from = self._read_to = first  # a checkpoint holds those before
        if first < self._read_from:
            start, _ = await self._bounds_of_lessons()
            await self._read_between(max(start, first), self._read_from)
            self._read_from = max(start, first)
        if last >= self._read_to:
            await self._read_on()
        if first < self._read_from or last >= self._read_to:
            raise ModelsNotReproducible(
                f"{topics.LESSONS.name} has the lessons {self._read_from} to {self._read_to - 1}: {first} to {last} "
                "have to be learned"
            )
        found = (self._read.get(number) for number in range(first, last + 1))
        return [lesson for lesson in found if lesson is not None]

    def asked_at(self, lesson: Lesson) -> datetime | None:
        """The time of the ticket of a lesson that was read last; None where the log does not say."""
        return self._times.get(lesson.feedback)

    def _forget(self) -> None:
        if len(self._read) <= MOST_KEPT:
            return
        for number in sorted(self._read)[:-MOST_KEPT]:
            self._times.pop(self._read.pop(number).feedback, None)
            self._read_from = number + 1

    async def _read_on(self) -> None:
        """Read all lessons that there are by now: partitions that catch up come to one after the other."""
        start, end = await self._bounds_of_lessons()
        self._read_from = max(self._read_from, start)
        await self._read_between(max(start, self._read_to), end)
        self._read_to = end

    async def _read_between(self, first: int, end: int) -> None:
        if first >= end:
            return
        source = await self.opened(LESSONS[0])
        async for records in source.read({LESSONS: (first, end)}):
            for record in records:
                lesson = await self._decoder.decode(record.value, Lesson)
                if isinstance(lesson, Lesson):
                    self._read[record.offset] = lesson
                    if (asked := asked_at(record.headers)) is not None:
                        self._times[lesson.feedback] = asked

    async def in_force_at(self, partition: int, offset: int) -> int | None:
        """The last lesson that is known at `offset` of a partition of the events, by the newest activation before."""
        lessons = await self.end()
        if not lessons:
            return None

        def known(record: Record) -> int | None:
            last = activated_lessons(record.value, record.headers)
            return last if last is not None and last < lessons else None

        place = topics.EVENTS.name, partition
        return await self.asked(place[0], lambda source: newest_before(source, place, offset, known))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A snapshot in a store: the last lesson that it holds, what its maker wrote beside, and the word on it."""

    last: int
    beside: Any
    word: SnapshotPublished
    gone: tuple[StoredSnapshot, ...] = ()
    """Those that were deleted for it."""


class Checkpoints:
    """What was learned, kept in a snapshot store now and then, so that a start need not learn every lesson again.

    A checkpoint names the last lesson that it holds: of a log that has another one there, it is not. One that is
    damaged, or of another release, is passed over, and an earlier one taken.
    """

    def __init__(
        self,
        store: SnapshotStore,
        every: int = CHECKPOINT_EVERY,
        *,
        others: Sequence[SnapshotStore] = (),
        head: str = _CHECKPOINT,
    ) -> None:
        """`others` are read, too."""
        self._store = store
        self._others = others
        self._every = every
        self._head = head
        self._kept = -1
        self._taken_back: dict[StoredSnapshot, int] = {}
        """Those that hold a lesson that was taken back, and by when: from that lesson on they are of no use."""

    async def nearest(
        self, source: LessonReader, last: int, *, after: int = -1, usable: Callable[[Any], bool] = lambda _: True
    ) -> tuple[Learned, Kept] | None:
        """The newest that holds no lesson after `last`, but one after `after`; None where there is none.

        `usable` says whether what was written beside it will do.
        """
        for stored, store in await self._listed():
            number = stored.learned - 1
            if not after < number <= last or last >= self._taken_back.get(stored, NEVER):
                continue
            try:
                data = await _asked_of(store, store.load, stored)
                learned, about, made_by = await asyncio.to_thread(_restored, data)
            except (BadSnapshot, BadSettings) as error:
                log.warning("%s is refused: %s; an earlier one is taken", stored.file_name, error)
                continue
            lessons = await source.lessons(number, number)
            beside = about.get(_BESIDE)
            if {name: value for name, value in about.items() if name != _BESIDE} != _about(lessons):
                log.warning("%s is of other lessons than the log's: passed over", stored.file_name)
                continue
            if not usable(beside):
                continue
            rest = await source.lessons(number + 1, last) if number < last else []
            if learned.takes_back(rest):
                log.info("%s holds a lesson that was taken back since: passed over", stored.file_name)
                self._taken_back[stored] = last
                continue
            self._kept = max(self._kept, number)
            log.info("lessons up to %d are those of %s in %s", number, stored.file_name, store.where)
            return learned, Kept(last=number, beside=beside, word=_word(stored, store, data, made_by, lessons))
        return None

    async def _listed(self) -> list[tuple[StoredSnapshot, SnapshotStore]]:
        """What all stores have, the newest first."""
        found: list[tuple[StoredSnapshot, SnapshotStore]] = []
        for store in (self._store, *self._others):
            try:
                found += [(stored, store) for stored in await _asked_of(store, store.list, self._head)]
            except BadSettings as error:
                log.warning("%s; what was learned is taken from elsewhere", error)
        return sorted(found, key=lambda item: item[0], reverse=True)

    def begin_anew(self) -> None:
        """Keep what is learned next, also where a later checkpoint is there: that one is of no use any more."""
        self._kept = -1

    def is_due(self, last: int) -> bool:
        """Whether `last` is far enough from the newest checkpoint."""
        return last - self._kept >= self._every

    async def keep(self, source: LessonReader, learned: Learned, last: int, beside: Any = None) -> Kept | None:
        """Keep what is `learned` by the lessons up to `last`, where that is far enough from the newest one.

        JSON `beside` it is kept with it. None where nothing was kept.
        """
        if not self.is_due(last):
            return None
        lessons = await source.lessons(last, last)
        about = _about(lessons) if beside is None else {**_about(lessons), _BESIDE: beside}
        data = await asyncio.to_thread(learned.to_bytes, about)
        try:
            stored = await _asked_of(self._store, self._store.save, self._head, last + 1, data)
            # Else the newest would soon all be made after a lesson that is taken back next, and none before it be left.
            useless = self._taken_back.keys() - {stored}
            gone = await _asked_of(self._store, self._store.prune, self._head, _KEPT, useless)
        except (BadSettings, OSError) as error:
            log.warning("what was learned is not kept, and a start will take longer: %s", error)
            self._kept = last - self._every * 9 // 10  # it may be back soon, and each try may take long
            return None
        self._kept = last
        made_by = await asyncio.to_thread(_format)
        word = _word(stored, self._store, data, made_by, lessons)
        return Kept(last=last, beside=beside, word=word, gone=tuple(gone))


_BESIDE = "beside"


async def _asked_of(store: SnapshotStore, call: Callable[..., T], *arguments: object) -> T:
    """What the `call` of `store` gives. Raises BadSettings, too, where it does not answer."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(call, *arguments), _STORE_ANSWERS_WITHIN_SECONDS)
    except TimeoutError as late:
        raise BadSettings(f"{store.where} does not answer within {_STORE_ANSWERS_WITHIN_SECONDS:.0f} s") from late


def _about(lessons: list[Lesson]) -> dict[str, object]:
    """Names a lesson, and the code that learned it."""
    return {"code": CODE_VERSION, "lesson": [lesson.feedback_id for lesson in lessons]}


def _word(
    stored: StoredSnapshot, store: SnapshotStore, data: bytes, made_by: str, lessons: list[Lesson]
) -> SnapshotPublished:
    return SnapshotPublished(
        head=stored.head,
        version=stored.version,
        store=store.where,
        sha256=sha256(data).hexdigest(),
        size_bytes=len(data),
        format=made_by,
        code=CODE_VERSION,
        lesson=stored.learned - 1,
        feedback_id="".join(lesson.feedback_id for lesson in lessons),
    )


def _restored(data: bytes) -> tuple[Learned, Mapping[str, Any], str]:
    """What was learned, what was said about it, and its format. Blocks: river and numba are imported."""
    from models.learned import Learned  # noqa: PLC0415  as above

    return *Learned.from_bytes(data), _format()


def _format() -> str:
    from models.learned import FORMAT  # noqa: PLC0415  as above

    return FORMAT


class LiveLessons:
    """What has been learned, for each partition of the events as far as its activations say."""

    def __init__(self, source: LessonReader, checkpoints: Checkpoints | None = None) -> None:
        self._source = source
        self._checkpoints = checkpoints
        self._known: dict[int, int | None] = {}
        """By partition: the last lesson in force; None before the first."""
        self._at: dict[int, int] = {}
        """By partition: the last offset that was come to."""
        self._learned: dict[int, Learned] = {}
        """By the last lesson: partitions of which the same one is in force share what was learned."""

    def forget(self) -> None:
        """Look anew what is in force: partitions have come, and others have worked on them."""
        self._known.clear()

    def known(self, partition: int) -> int | None:
        """The last lesson in force in `partition`, where it was come to."""
        return self._known.get(partition)

    def learned(self, partition: int) -> Learned | None:
        """What is learned in `partition`, once it is prepared; None before the first lesson."""
        last = self._known.get(partition)
        return None if last is None else self._learned[last]

    def knowing(self, models: Models, partition: int) -> Models:
        """`models` with what is learned in `partition`, once it is prepared."""
        learned = self.learned(partition)
        return models if learned is None else with_lessons(models, learned, self.known(partition))

    async def come_to(self, partition: int, offset: int) -> None:
        """Know what is in force at `offset`, before it is decided on: anew where it was come to before."""
        if partition not in self._known or offset <= self._at[partition]:
            self._known.pop(partition, None)
            self._known[partition] = await self._source.in_force_at(partition, offset)
        self._at[partition] = offset

    async def activate(self, last: int, partition: int) -> None:
        """Let the lessons up to `last` take effect in `partition`. Raises UnknownModels where there are not so many."""
        if self._known.get(partition) == last:
            return
        if not await self._source.has(last):
            raise UnknownModels(f"{topics.LESSONS.name} has no lesson {last}: those before it hold")
        self._known[partition] = last

    async def prepare(self, partition: int) -> None:
        """Learn what is in force in `partition`, now that a decision needs it; and drop what no partition needs."""
        last = self._known.get(partition)
        if last is None or last in self._learned:
            return
        others = {number for other, number in self._known.items() if other != partition and number is not None}
        self._learned[last] = await self._made(last, others)
        self._learned = {number: kept for number, kept in self._learned.items() if number in {last, *others}}

    async def _made(self, last: int, others: set[int]) -> Learned:
        before = max((number for number in self._learned if number < last), default=-1)
        if (swapped := await self._far_behind(before, last)) is not None:
            return swapped
        if before >= 0 and self._learned[before].takes_back(await self._source.lessons(before + 1, last)):
            log.info("a lesson is taken back: what people taught is learned anew, without it")
            before = -1
            if self._checkpoints is not None:
                self._checkpoints.begin_anew()
        if before in others:
            learned = self._learned[before].clone()
        elif before >= 0:
            learned = self._learned.pop(before)
        elif self._checkpoints is not None and (found := await self._checkpoints.nearest(self._source, last)):
            learned, before = found[0], found[1].last
        else:
            learned = await asyncio.to_thread(nothing_learned)
        if before < last:
            await learned_through(self._source, learned, before + 1, last)
        if self._checkpoints is not None:
            await self._checkpoints.keep(self._source, learned, last)
        return learned

    async def _far_behind(self, before: int, last: int) -> Learned | None:
        """What a newer snapshot has and the lessons after it make, where that is nearer to `last` than `before`."""
        if self._checkpoints is None or before < 0 or last - before < CHECKPOINT_EVERY:
            return None
        found = await self._checkpoints.nearest(self._source, last, after=before)
        if found is None:
            return None
        learned, kept = found
        return await learned_through(self._source, learned, kept.last + 1, last) if kept.last < last else learned


async def learned_through(source: LessonReader, learned: Learned, first: int, last: int) -> Learned:
    """`learned` with the lessons from `first` to `last`, too; where an error is raised, with a part of them."""
    lessons = await source.lessons(first, last)
    await asyncio.to_thread(learn_all, learned, lessons)  # many, at a start: other agents go on meanwhile
    return learned


def nothing_learned() -> Learned:
    """The start of learning. Blocks: river and numba are imported, and after an installation loops are compiled."""
    from models.learned import Learned  # noqa: PLC0415  as above

    return Learned()


def warm_up() -> None:
    """Load and compile what learning takes, so that the first lesson is known as soon as any other. Blocks."""
    nowhere = LogPosition(topic="", partition=0, offset=0)
    lesson = Lesson(
        feedback_id="",
        feedback=nowhere,
        head=LEARNED_HEADS[0],
        label="any",
        tenant="",
        source="",
        ticket_id="",
        event=nowhere,
        subject="words",
        body="",
        occurred_at=datetime.fromtimestamp(0, UTC),
    )
    learned = nothing_learned()
    learned.learn(lesson)
    learned.evidence(lesson.head, learned.read(lesson.text))


def learn_all(learned: Learned, lessons: Sequence[Lesson]) -> None:
    """Learn `lessons`, in order. Blocks."""
    learned.learn_all(lessons)


def retraction(feedback: Feedback, place: LogPosition) -> Lesson:
    """The lesson that takes back what `feedback`, which stands at `place`, names."""
    return Lesson(
        feedback_id=feedback.feedback_id,
        feedback=place,
        head="",
        label="",
        tenant=feedback.tenant,
        source=feedback.source,
        ticket_id=feedback.ticket_id,
        event=place,
        subject="",
        body="",
        actor=feedback.actor,
        occurred_at=feedback.occurred_at,
        revokes=feedback.value,
    )


def recorded(lesson: Lesson, codec: Codec, *, asked_at: datetime | None = None) -> Outgoing:
    """The record of a lesson, on a ticket of the time `asked_at`."""
    return Outgoing(
        topic=topics.LESSONS.name,
        key=lesson.feedback_id.encode(),
        value=codec.encode(lesson),
        headers=None if asked_at is None else [asked_at_header(asked_at)],
        partition=LESSONS[1],
    )


def lesson_activations(last: int, partitions: Iterable[int]) -> list[Outgoing]:
    """The records by which the lessons up to `last` take effect: one in each of `partitions` of the events' topic."""
    headers: list[Header] = [(LESSONS_HEADER, b"%d" % last), ("ce_type", b"triage.lessons.activated.v1")]
    return [
        Outgoing(topic=topics.EVENTS.name, key=None, value=None, headers=headers, partition=number)
        for number in partitions
    ]
