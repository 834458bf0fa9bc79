"""Forecasts of each hour of event time: as soon as it is whole, the next two days of each series are stored.

What is forecast follows from the log of counts alone (`sinks.forecasts.whole_hours`): hours are taken in one after the
other, however fast they come, and a worker that begins anew takes in again what the next forecast is made from.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from models.forecast import HOUR, forecast_all
from models.staffing import MOST_AGENTS, ServiceLevel, agents_needed, agents_rostered, most_tickets
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
_FEW_AGENTS = 64
"""Up to so many are looked up: working them out costs more than all else about a forecast."""


class RecentHours:
    """The tickets of each series in the last eight weeks, hour by hour: what forecasts are made from."""

    def __init__(self, calendar: WeekCalendar | None = None) -> None:
        self._calendar = calendar or WeekCalendar()
        self._counts: dict[datetime, Mapping[str, int]] = {}
        self._totals: Counter[str] = Counter()
        self._rows: dict[str, NDArray[np.float64]] = {}
        """Of each series the hours before `_ends`, the newest last."""
        self._ends: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self._counts)

    def clear(self) -> None:
        """Begin anew."""
        self._counts.clear()
        self._totals.clear()
        self._rows.clear()
        self._ends = None

    def add(self, hour: datetime, counts: Mapping[str, int]) -> None:
        """Take in the hour that follows the last; what is older than eight weeks is dropped."""
        self._ends = hour + HOUR
        for old in [at for at in self._counts if at < self._ends - BACK]:
            gone = self._counts.pop(old)
            self._totals.subtract(gone)
            for name in gone:
                if self._totals[name] <= 0:
                    del self._totals[name], self._rows[name]
        for row in self._rows.values():
            row[:-1] = row[1:]
            row[-1] = 0.0
        if counts:
            self._counts[hour] = counts
            self._totals.update(counts)
            for name, count in counts.items():
                self._rows.setdefault(name, np.zeros(BACK // HOUR))[-1] = count

    def forecast(self, wanted: ServiceLevel) -> list[ForecastRow]:
        """The next two days of all tickets and of the largest series; nothing where too little is known."""
        if self._ends is None or not self._counts:
            return []
        start, newest = next(iter(self._counts)), next(reversed(self._counts))
        if self._ends - start < LEAST_HOURS * HOUR or self._ends - newest > LONGEST_SILENCE:
            return []
        names = sorted(self._totals, key=lambda name: (name != ALL, -self._totals[name], name))[: MOST_SERIES + 1]
        hours = (self._ends - start) // HOUR
        history = np.stack([self._rows[name][-hours:] for name in names])
        rows: list[ForecastRow] = []
        found = forecast_all(history, start, hours=HOURS_AHEAD, calendar=self._calendar)
        for name, ahead in zip(names, found, strict=True):
            agents = agents_at([hour.expected for hour in ahead.hours], wanted)
            at_high = agents_at([hour.high for hour in ahead.hours], wanted)
            rows += [
                ForecastRow(
                    series=name,
                    hour=hour.begins,
                    made_at=self._ends,
                    expected=hour.expected,
                    low=hour.low,
                    high=hour.high,
                    coverage=ahead.coverage,
                    agents=needed,
                    agents_at_high=most,
                    rostered=agents_rostered(needed, wanted),
                    method=ahead.method,
                )
                for hour, needed, most in zip(ahead.hours, agents, at_high, strict=True)
            ]
        return rows


def agents_at(tickets_per_hour: Sequence[float], wanted: ServiceLevel) -> list[int]:
    """The agents needed at each rate, MOST_AGENTS where it would be more: a flood of tickets is no reason to stop."""
    few = np.searchsorted(_rates(wanted), tickets_per_hour).tolist()
    return [
        agents if agents <= _FEW_AGENTS else _many_agents(rate, wanted)
        for agents, rate in zip(few, tickets_per_hour, strict=True)
    ]


def _many_agents(tickets_per_hour: float, wanted: ServiceLevel) -> int:
    try:
        return agents_needed(tickets_per_hour, wanted)
    except ValueError:
        return MOST_AGENTS


@cache
def _rates(wanted: ServiceLevel) -> NDArray[np.float64]:
    """The highest rate for each number of agents from none on."""
    return np.array([0.0, *(most_tickets(agents, wanted) for agents in range(1, _FEW_AGENTS + 1))])


class Planner:
    """Keeps the forecasts in the store up to date until it is told to stop. `partitions` is how many are counted."""

    def __init__(
        self,
        store: Store,
        partitions: int,
        wanted: ServiceLevel,
        clock: Callable[[], datetime],
        calendar: WeekCalendar | None = None,
    ) -> None:
        self._store = store
        self._partitions = partitions
        self._wanted = wanted
        self._clock = clock
        self._stopping = asyncio.Event()
        self._next: datetime | None = None
        """The hour to take in next; None where the store is to be asked."""
        self._made: datetime | None = None
        self._hours = RecentHours(calendar)
        """The hours before `_next`."""

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
        """Have `run` end after the hour in hand."""
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
            self._hours.add(hour, counts.get(hour, {}))
            if self._made is not None and self._next <= self._made:
                continue
            made = await asyncio.to_thread(self._hours.forecast, self._wanted)
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

    async def _write(self, rows: list[ForecastRow]) -> None:
        if rows:
            now = self._clock().astimezone(UTC).replace(microsecond=0)
            await asyncio.to_thread(partial(forecasts.write, self._store, rows, now=now))
            self._made = rows[-1].made_at
            log.info("forecast from %s to %s on", rows[0].made_at.isoformat(), rows[-1].made_at.isoformat())
