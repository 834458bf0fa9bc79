"""Alerts on the pipeline itself and on service levels: measured every few seconds, told on the topic of alerts.

What was told is read from that topic before each look, so that nothing else has to be kept: a worker that is started,
or takes over, goes on with the incidents that others have opened, and two that measure at once tell of one incident.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from models.gauges import GaugeBook, GaugeSettings, Reading
from schemas import topics
from schemas.alerts import Alert, AlertKind
from schemas.codec import Codec
from schemas.dead_letters import marked_place
from schemas.errors import StoreUnavailable
from sinks.sla import at_risk
from sinks.store import Store
from streams.agents import READ_BY
from streams.decoding import Decoder
from streams.publish import Publisher, alert_record
from streams.reading import Place, Reader, places_of, reader
from streams.settings import Settings
from streams.topic_admin import committed_by

log = logging.getLogger("triage.gauging")

LOOK_EVERY, ASK_THE_STORE_EVERY = timedelta(seconds=15), timedelta(minutes=1)
LOOKS = 2
"""At least so many within the time that a value has to stay high."""

LETTERS_WITHIN = timedelta(minutes=10)
_SAMPLE = 500
"""Records of a partition of dead letters that are looked into, the newest: what marks a redriven letter is none."""

DEAD_LETTERS = f"topic={topics.DEAD_LETTERS.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """What is measured, at a moment of the clock, and the book that follows it."""

    book: GaugeBook
    measure: Callable[[datetime], Awaitable[Sequence[Reading]]]


class Gauging:
    """Measures while `active` says so: in one worker at a time, where another would measure the same."""

    def __init__(
        self,
        gauges: Sequence[Gauge],
        *,
        settings: Settings,
        codec: Codec,
        decoder: Decoder,
        publisher: Publisher,
        clock: Callable[[], datetime],
        every: timedelta = LOOK_EVERY,
        active: Callable[[], bool] = lambda: True,
    ) -> None:
        self._gauges = gauges
        self._settings = settings
        self._codec = codec
        self._decoder = decoder
        self._publisher = publisher
        self._clock = clock
        # Often enough that a value which has to stay high is seen to.
        self._every = min(every, timedelta(seconds=settings.alert_after_seconds) / LOOKS)
        self._active = active
        self._read: dict[Place, int] = {}

    async def run(self) -> None:
        """Measure and tell, until cancelled. While Kafka or the store is away nothing is measured."""
        if not self._gauges:
            return
        async with reader(self._settings) as source:
            while True:
                await asyncio.sleep(self._every.total_seconds())
                if not self._active():
                    for gauge in self._gauges:
                        gauge.book.begin_anew()
                    continue
                try:
                    await self._look(source)
                except (KafkaError, StoreUnavailable) as away:
                    log.warning("nothing is measured for alerts: %s", away)

    async def _look(self, source: Reader) -> None:
        await self._read_on(source)
        for gauge in self._gauges:
            readings = await gauge.measure(self._clock())
            words = gauge.book.observe(readings, self._clock())
            for word in words:
                log.info("%s: %s of %s, %s", word.incident_id, word.stage.value, word.team or "nobody", word.subject)
            await self._publisher.publish(alert_record(word, self._codec) for word in words)

    async def _read_on(self, source: Reader) -> None:
        """Know what others have told; what cannot be read is left out."""
        bounds = await source.bounds(await places_of([topics.ALERTS.name], self._settings))
        ranges = {place: (max(start, self._read.get(place, 0)), end) for place, (start, end) in bounds.items()}
        async for batch in source.read(ranges):
            for record in batch:
                word = await self._decoder.decode(record.value, Alert)
                if isinstance(word, Alert):
                    for gauge in self._gauges:
                        gauge.book.take(word)
        self._read = {place: end for place, (_, end) in ranges.items()}


def pipeline_gauges(settings: Settings) -> list[Gauge]:
    """What Kafka alone can say: how far agents are behind, and how many dead letters there are."""
    found: list[Gauge] = []
    if settings.alert_lag_records:
        book = _book(AlertKind.CONSUMER_LAG, settings.alert_lag_records, settings)
        found.append(Gauge(book=book, measure=lambda _now: lags(settings)))
    if settings.alert_dead_letters:
        book = _book(AlertKind.DEAD_LETTER_RATE, settings.alert_dead_letters, settings)
        found.append(Gauge(book=book, measure=lambda now: dead_letters(settings, now)))
    return found


def store_gauges(settings: Settings, store: Store) -> list[Gauge]:
    """What the store can say: tickets whose time is nearly over."""
    if not settings.alert_sla_tickets:
        return []

    async def measure(now: datetime) -> list[Reading]:
        teams = await asyncio.to_thread(at_risk, store, now)
        return [
            Reading(subject=f"team={one.team}", value=one.tickets, team=one.team, examples=one.examples)
            for one in teams
        ]

    return [Gauge(book=_book(AlertKind.SLA_AT_RISK, settings.alert_sla_tickets, settings), measure=measure)]


def _book(kind: AlertKind, limit: float, settings: Settings) -> GaugeBook:
    hold = timedelta(seconds=settings.alert_after_seconds)
    return GaugeBook(kind, GaugeSettings(limit=limit, hold=hold))


async def lags(settings: Settings) -> list[Reading]:
    """How many records each role's agents are behind; of roles that have ever worked."""
    found: list[Reading] = []
    everywhere = await places_of({topic.name for read in READ_BY.values() for topic in read}, settings)
    async with AsyncExitStack() as stack:
        admin = AIOKafkaAdminClient(**settings.kafka_options())
        stack.push_async_callback(admin.close)
        await admin.start()
        source = await stack.enter_async_context(reader(settings))
        for role, read in READ_BY.items():
            names = {topic.name for topic in read}
            places = [place for place in everywhere if place[0] in names]
            # What is committed before what there is: else records that come meanwhile would not count.
            committed = await committed_by(admin, f"{settings.app_id}.{role}", places)
            if not committed:
                continue
            bounds = await source.bounds(places)
            behind = sum(max(0, end - max(start, committed.get(place, -1))) for place, (start, end) in bounds.items())
            found.append(Reading(subject=f"agent={role}", value=behind, team=settings.alert_team))
    return found


async def dead_letters(settings: Settings, now: datetime) -> list[Reading]:
    """How many dead letters the last ten minutes have brought."""
    total = 0.0
    async with reader(settings) as source:
        places = await places_of([topics.DEAD_LETTERS.name], settings)
        for place, (start, end) in (await source.bounds(places)).items():
            since = await source.offset_at(place, now - LETTERS_WITHIN)
            if since is None or (number := end - max(start, since)) <= 0:
                continue
            looked, letters = 0, 0
            async for batch in source.read({place: (max(start, since, end - _SAMPLE), end)}):
                looked += len(batch)
                letters += sum(marked_place(record.value, record.headers) is None for record in batch)
            total += number * letters / max(1, looked)
    return [Reading(subject=DEAD_LETTERS, value=total, team=settings.alert_team)] if total else []
