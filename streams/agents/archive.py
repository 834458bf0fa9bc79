"""The `archive` agent: events, decisions, feedback, dead letters, counts and alerts, in batches, into the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from schemas import topics
from schemas.alerts import Alert, AlertAnswered, is_answer
from schemas.cloudevents import LATENCY_HEADER
from schemas.counts import BucketCounts
from schemas.dead_letters import REDRIVEN_HEADER, DeadLetter, marked_place
from schemas.decisions import Decision
from schemas.errors import DeadLettered, StoreUnavailable
from schemas.events import TicketEvent
from schemas.feedback import Feedback
from schemas.held import human_word
from schemas.lessons import activated_lessons
from schemas.model_log import activated_version
from schemas.open_incidents import told_incidents
from sinks.archive import Archive
from sinks.forecasts import passed_hour
from sinks.rows import Row, alert_row, counts_row, dead_letter_row, decision_row, event_row, feedback_row
from streams.batches import Record, position_of, time_of
from streams.dead_letters import dead_letter
from streams.decoding import Decoder
from streams.publish import Publisher

log = logging.getLogger("triage.archive")

SLICE = 50
"""Records read at a stretch: then the event loop sees to the other agent, to health checks and to Kafka."""

LONGEST_WAIT = timedelta(seconds=30)

SLOW_AFTER = timedelta(seconds=5)
"""An answer that takes longer is waited for as if the store were away: a slow store is no stuck worker."""

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)

_Archived = TicketEvent | Decision | Feedback | BucketCounts | Alert | AlertAnswered

_WORDS: Mapping[str, type[_Archived]] = {
    topics.EVENTS.name: TicketEvent,
    topics.DECISIONS.name: Decision,
    topics.FEEDBACK.name: Feedback,
    topics.COUNTS.name: BucketCounts,
    topics.ALERTS.name: Alert,
}


class ArchiveAgent:
    """Writes what the topics carry; a store that is away is waited for, and Kafka keeps the rest meanwhile."""

    def __init__(
        self,
        *,
        open_archive: Callable[[], Awaitable[Archive]],
        decoder: Decoder,
        publisher: Publisher,
        clock: Callable[[], datetime],
    ) -> None:
        self._open_archive = open_archive
        self._archive: Archive | None = None
        self._opening = asyncio.Lock()
        self._decoder = decoder
        self._publisher = publisher
        self._clock = clock
        self._store_away: str | None = None
        self._passed: dict[int, datetime] = {}
        """The hour that a mark of each source partition has passed. What is forgotten here is stored once more."""

    @property
    def waiting_for(self) -> str | None:
        """The service that is away while it is waited for."""
        return self._store_away or self._decoder.waiting_for or self._publisher.waiting_for

    async def open(self) -> Archive:
        """The archive, opened where it is not yet. Raises StoreUnavailable, StoreRejected or StoreAheadOfLog."""
        async with self._opening:
            if self._archive is None:
                try:
                    self._archive = await self._open_archive()
                except StoreUnavailable as away:
                    self._store_away = str(away)
                    raise
                self._store_away = None
            return self._archive

    async def open_in_the_end(self) -> None:
        """Open the archive, however long the store is away."""
        while self._archive is None:
            try:
                await self.open()
            except StoreUnavailable:
                await asyncio.sleep(LONGEST_WAIT.total_seconds() / 10)

    def forget(self) -> None:
        """Ask the store anew what it holds: partitions have come."""
        if self._archive is not None:
            self._archive.forget()

    async def __call__(self, records: Sequence[Record]) -> None:
        """Write `records` to the store, and wait until they are there."""
        rows: list[Row] = []
        for number, record in enumerate(records, 1):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            row = await self._row(record)
            if isinstance(row, Row):
                late = any(name == REDRIVEN_HEADER for name, _ in record.headers)
                rows.append(replace(row, late=True) if late else row)
            elif row is not None:
                await self._publisher.publish([dead_letter(record, "archive", row, self._clock())])
        if rows:
            await self._write(rows)

    async def _row(self, record: Record) -> Row | DeadLettered | None:
        """The record's row; the error of one that cannot be read; None for what is no row."""
        if record.topic == topics.DEAD_LETTERS.name:
            if marked_place(record.value, record.headers) is not None:
                return None  # it says that a letter was redriven
            letter = DeadLetter.read(record.key, record.value, record.headers, failed_at=time_of(record))
            return dead_letter_row(letter, position_of(record))
        if record.topic == topics.EVENTS.name and _takes_over(record):
            return None
        kind = _WORDS[record.topic]
        if kind is BucketCounts and is_answer(record.key):
            kind = AlertAnswered
        word = await self._decoder.decode(record.value, kind)
        if isinstance(word, DeadLettered):
            # The triage agent has made a dead letter of an unreadable event.
            return None if record.topic == topics.EVENTS.name else word
        if isinstance(word, BucketCounts) and not word.counts and not self._passes_an_hour(word):
            return None
        return _row_of(word, record)

    def _passes_an_hour(self, mark: BucketCounts) -> bool:
        """Whether a mark says what the store is to know: one an hour tells when an hour is whole."""
        hour = passed_hour(mark.bucket)
        if hour <= self._passed.get(mark.partition, _BEFORE_ALL):
            return False
        self._passed[mark.partition] = hour
        return True

    async def _write(self, rows: Sequence[Row]) -> None:
        wait = timedelta(seconds=1)
        while True:
            try:
                # To the second, as the column is: one value for the batch keeps it in one part.
                now = self._clock().astimezone(UTC).replace(microsecond=0)
                archive = await self.open()
                await self._answered(asyncio.to_thread(archive.write, rows, now=now))
            except StoreUnavailable as away:
                self._store_away = str(away)
                log.warning("%s; trying again in %.0f s, Kafka keeps the rest", away, wait.total_seconds())
                await asyncio.sleep(wait.total_seconds())
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                self._store_away = None
                return

    async def _answered(self, call: Awaitable[object]) -> None:
        task = asyncio.ensure_future(call)
        if not (await asyncio.wait({task}, timeout=SLOW_AFTER.total_seconds()))[0]:
            self._store_away = "ClickHouse has not answered yet"
        await task


def _row_of(word: _Archived, record: Record) -> Row | None:
    match word:
        case TicketEvent():
            return event_row(word, position_of(record))
        case Feedback():
            return feedback_row(word, position_of(record))
        case Decision():
            return decision_row(word, decided_at=time_of(record), latency_ms=_latency_ms(record))
        case BucketCounts():
            return counts_row(word, position_of(record))
        case Alert():
            return alert_row(word, position_of(record))
        case AlertAnswered():
            return None  # the word that follows from it tells of it


def _latency_ms(record: Record) -> int:
    """The latency that the triage agent noted, -1 where it is missing."""
    value = dict(record.headers).get(LATENCY_HEADER)
    return int(value) if value is not None and value.isdigit() and len(value) < 10 else -1  # noqa: PLR2004  11 days


def _takes_over(record: Record) -> bool:
    """Whether it says that other models, lessons, incidents or fields hold from here on."""
    return any(
        said(record.value, record.headers) is not None
        for said in (activated_version, activated_lessons, told_incidents, human_word)
    )
