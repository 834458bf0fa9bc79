"""The `drift` agent: where the errors of the models rise, on-call is told.

The lessons have one partition, so that one worker at a time tells. What it tells on a lesson follows from the lessons
up to that one alone: told again after a crash, it has the same bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from schemas.alerts import Alert
from schemas.codec import Codec
from schemas.lessons import Lesson
from streams.batches import Record
from streams.decoding import Decoder
from streams.lessons import LiveLessons
from streams.publish import Publisher, alert_record

if TYPE_CHECKING:
    from models.drift import Drift  # with river: the worker is ready before it is loaded

log = logging.getLogger("triage.drift")

_HERE = 0
"""The only partition of the lessons, and with it of what is learned here."""


class DriftAgent:
    """Follows the lessons, and tells which drifts each one begins, raises and ends."""

    def __init__(self, *, lessons: LiveLessons, codec: Codec, decoder: Decoder, publisher: Publisher) -> None:
        self._lessons = lessons
        self._codec = codec
        self._decoder = decoder
        self._publisher = publisher
        self._open: Mapping[str, Drift] | None = None
        """The drifts that the newest lesson has left open; None before the first."""
        self._learning: str | None = None

    @property
    def waiting_for(self) -> str | None:
        """The service that is away while it is waited for; learning many lessons anew is waited for, too."""
        return self._decoder.waiting_for or self._publisher.waiting_for or self._learning

    def forget(self) -> None:
        """Begin from what is kept: others may have told meanwhile."""
        self._lessons.forget()
        self._open = None

    async def __call__(self, records: Sequence[Record]) -> None:
        """Learn `records`, one after the other, and wait until what is told of them is on the brokers."""
        from models.drift import words  # noqa: PLC0415  as above

        told: list[Alert] = []
        for record in records:
            lesson = await self._decoder.decode(record.value, Lesson)
            if not isinstance(lesson, Lesson):
                log.warning("%s@%d is no lesson: %s", record.topic, record.offset, lesson)
                continue
            before = await self._open_after(record.offset - 1) if self._open is None else self._open
            self._open = await self._open_after(record.offset)
            told += words(before, self._open, lesson)
        for word in told:
            log.info("%s: %s of %s, %s", word.incident_id, word.stage.value, word.team or "all teams", word.subject)
        await self._publisher.publish(alert_record(word, self._codec) for word in told)

    async def _open_after(self, last: int) -> Mapping[str, Drift]:
        """The drifts that are open after the lessons up to `last`."""
        if last < 0:
            return {}
        self._learning = f"the lessons up to {last} are learned"
        try:
            await self._lessons.activate(last, _HERE)
            await self._lessons.prepare(_HERE)
        finally:
            self._learning = None
        learned = self._lessons.learned(_HERE)
        return {} if learned is None else learned.drifts
