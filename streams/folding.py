"""Following the lessons with a count of how good answers were: the newest snapshot, and the lessons after it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from streams.lessons import CHECKPOINT_EVERY, Checkpoints, Kept, LessonReader, nothing_learned

if TYPE_CHECKING:
    from models.course import Course, Tally
    from models.scores import Curve

log = logging.getLogger("triage.folding")


class Folding:
    """A course through the lessons, as far as it was asked for. `kind` names what is counted, and of what.

    It is the same wherever it began: what a snapshot holds is what the lessons before it make.
    """

    def __init__(self, source: LessonReader, checkpoints: Checkpoints, make: Callable[[], Tally], kind: str) -> None:
        self._source = source
        self._checkpoints = checkpoints
        self._make = make
        self._kind = kind
        self._course: Course | None = None
        self.through = -1
        """The last lesson that was taken."""
        self.begun_with: Kept | None = None
        """The snapshot that it began with."""
        self.waiting_for: str | None = None
        """What takes long now: it is no reason to be taken for stuck."""

    async def come_to(self, last: int) -> None:
        """Take the lessons up to `last`. Raises ModelsNotReproducible where the log has lost some that are needed."""
        if last <= self.through:
            return
        if last - self.through > CHECKPOINT_EVERY:
            self.waiting_for = f"lessons up to {last} are learned"
        try:
            await self._come_to(last)
        finally:
            self.waiting_for = None

    async def _come_to(self, last: int) -> None:
        if self._course is None:
            await self._begin(last)
        lessons = await self._source.lessons(self.through + 1, last) if self.through < last else []
        if self._course is not None and self._course.takes_back(lessons):
            log.info("a lesson is taken back: %s is counted anew, without it", self._kind)
            self._checkpoints.begin_anew()
            await self._begin(last)
            lessons = await self._source.lessons(self.through + 1, last) if self.through < last else []
        if self._course is not None:
            await asyncio.to_thread(self._course.take, lessons)
        self.through = last

    async def _begin(self, last: int) -> None:
        self.waiting_for = f"lessons up to {last} are learned"
        found = await self._checkpoints.nearest(self._source, last, usable=self._is_usable)
        tally = self._make()
        if found is not None:
            learned, kept = found
            tally.restore(kept.beside["counted"])
            self.through, self.begun_with = kept.last, kept
        else:
            learned = await asyncio.to_thread(nothing_learned)
            self.through, self.begun_with = -1, None
        from models.course import Course  # noqa: PLC0415  river takes a second to import, and is there by now

        self._course = Course(learned, tally)

    def _is_usable(self, beside: Any) -> bool:
        try:
            if beside["kind"] != self._kind:
                return False
            self._make().restore(beside["counted"])
        except (ValueError, KeyError, TypeError):
            return False
        return True

    async def keep(self) -> Kept | None:
        """Keep where it stands, where that is far enough from the newest snapshot; gives what was kept."""
        if self._course is None or not self._checkpoints.is_due(self.through):
            return None
        self.waiting_for = "the snapshot store"
        try:
            beside = {"kind": self._kind, "counted": self._course.tally.to_json()}
            return await self._checkpoints.keep(self._source, self._course.learned, self.through, beside)
        finally:
            self.waiting_for = None

    @property
    def curves(self) -> list[tuple[str, str, Curve]]:
        """As `AuditBook.table`: how sure heads may be, by the audits so far."""
        return [] if self._course is None else self._course.learned.audits.table()

    @property
    def tally(self) -> Any:
        """What was counted; None before anything was taken."""
        return None if self._course is None else self._course.tally
