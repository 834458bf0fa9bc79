"""Forecasts of each hour of event time: as soon as it is whole, the next two days of each series are stored.

What is forecast follows from the log of counts alone (`sinks.forecasts.whole_hours`): hours are taken in one after the
other, however fast they come, and a worker that begins anew takes in again what the next forecast is made from.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np

from models.forecast import HOUR, forecast
from models.staffing import MOST_AGENTS, ServiceLevel, agents_needed, agents_rostered
from models.watching import ALL
from models.weeks import WeekCalendar
from schemas.errors import StoreUnavailable
from sinks import forecasts
from sinks.forecasts import ForecastRow
from sinks.store import MOST_ROWS, Store

log = logging.getLogger("triage.planning")

HOURS_AHEAD = 48
MOST_SERIES = 100
WEEKS_BACK = 8
LEAST_HOURS = 24
HOURS_AT_A_TIME = 24

_LOOK_EVERY = timedelta(minutes=1)
BACK = timedelta(weeks=WEEKS_BACK)
LONGEST_SILENCE = timedelta(weeks=1)
"""Where no ticket has come for so long there is nothing to forecast; a source may have got one year wrong."""
_CALENDAR = WeekCalendar()


def planned(
    series: str, counts: Mapping[datetime, int], start: datetime, made_at: datetime, wanted: ServiceLevel
) -> list[ForecastRow]:
    """The hours of one series from `made_at` on. `counts` are tickets per hour since `start`; one left out had none."""
    history = np.array([float(counts.get(start + at * HOUR, 0)) for at in range((made_at - start) // HOUR)])
    ahead = forecast(history, start, hours=HOURS_AHEAD, calendar=_CALENDAR)
    return [
        ForecastRow(
            series=series,
            hour=hour.begins,
            made_at=made_at,
            expected=hour.expected,
            low=hour.low,
            high=hour.high,
            coverage=ahead.coverage,
            agents=(agents := _agents(hour.expected, wanted)),
            agents_at_high=_agents(hour.high, wanted),
            rostered=agents_rostered(agents, wanted),
            method=ahead.method,
        )
        for hour in ahead.hours
    ]


def _agents(tickets_per_hour: float, wanted: ServiceLevel) -> int:
    """The agents needed, MOST_AGENTS where it would be more: a flood of tickets is no reason to stop."""
    try:
        return agents_needed(tickets_per_hour, wanted)
    except ValueError:
        return MOST_AGENTS


def largest(hours: Mapping[datetime, Mapping[str, int]]) -> list[str]:
    """All tickets and the MOST_SERIES largest other series, the largest first."""
    totals: Counter[str] = Counter()
    for counts in hours.values():
        totals.update(counts)
    return sorted(totals, key=lambda series: (series != ALL, -totals[series], series))[: MOST_SERIES + 1]


class Planner:
    """Keeps the forecasts in the store up to date until it is told to stop. `partitions` is how many are counted."""

    def __init__(self, store: Store, partitions: int, wanted: ServiceLevel, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._partitions = partitions
        self._wanted = wanted
        self._clock = clock
        self._stopping = asyncio.Event()
        self._next: datetime | None = None
        """The hour to take in next; None where the store is to be asked."""
        self._made: datetime | None = None
        self._hours: dict[datetime, dict[str, int]] = {}
        """The tickets of each series in the hours before `_next`, as far back as forecasts look."""

    async def run(self) -> None:
        """Forecast each hour once, until `stop`; a store that is away is asked again. Raises StoreRejected."""
        while not self._stopping.is_set():
            began, more = time.monotonic(), False
            try:
                more = await self.plan()
            except StoreUnavailable as away:
                log.warning("no forecast yet: %s", away)
            # Old hours are caught up with in half of the time: deciding and archiving share the processor.
            wait = min(time.monotonic() - began, _LOOK_EVERY.total_seconds()) if more else _LOOK_EVERY.total_seconds()
            try:
                await asyncio.wait_for(self._stopping.wait(), wait)
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Have `run` end after the series in hand."""
        self._stopping.set()

    async def plan(self) -> bool:
        """Take in the hours that have become whole, a day at most, and forecast after each; whether more may be due."""
        try:
            return await self._plan()
        except BaseException:
            self._next = None  # what has arrived is for the store to say
            raise

    async def _plan(self) -> bool:
        begin = self._next if self._hours else await asyncio.to_thread(self._begin)
        if begin is None:
            return False
        whole = await asyncio.to_thread(
            forecasts.whole_hours, self._store, begin, self._partitions, most=HOURS_AT_A_TIME
        )
        counts = await asyncio.to_thread(forecasts.hourly_counts, self._store, whole)
        rows: list[ForecastRow] = []
        for hour in whole:
            self._next = hour + HOUR
            self._hours = {at: some for at, some in self._hours.items() if at >= self._next - BACK}
            if hour in counts:
                self._hours[hour] = counts[hour]
            if self._made is not None and self._next <= self._made:
                continue
            made = await self._forecast(self._next)
            if self._stopping.is_set():
                return False
            if len(rows) + len(made) > MOST_ROWS:
                await self._write(rows)
                rows = []
            rows += made
        await self._write(rows)
        return len(whole) == HOURS_AT_A_TIME

    def _begin(self) -> datetime | None:
        """Where to begin, or to go on after hours that are too long ago to tell anything; None where nothing counts."""
        if self._next is None:
            self._hours.clear()
            self._made = forecasts.newest_made(self._store)
            since = None if self._made is None else self._made + HOUR - BACK
            return forecasts.first_counted(self._store, since)
        return forecasts.first_counted(self._store, self._next)

    async def _forecast(self, made_at: datetime) -> list[ForecastRow]:
        start = min(self._hours, default=made_at)
        if made_at - start < LEAST_HOURS * HOUR or made_at - max(self._hours) > LONGEST_SILENCE:
            return []
        rows: list[ForecastRow] = []
        for series in largest(self._hours):
            if self._stopping.is_set():
                break
            counts = {hour: some[series] for hour, some in self._hours.items() if series in some}
            rows += await asyncio.to_thread(planned, series, counts, start, made_at, self._wanted)
        return rows

    async def _write(self, rows: list[ForecastRow]) -> None:
        if rows:
            now = self._clock().astimezone(UTC).replace(microsecond=0)
            await asyncio.to_thread(partial(forecasts.write, self._store, rows, now=now))
            self._made = rows[-1].made_at
            log.info("forecast from %s to %s on", rows[0].made_at.isoformat(), rows[-1].made_at.isoformat())
