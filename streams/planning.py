"""Forecasts on a schedule: whenever an hour of event time is whole, the next two days of each series are stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np

from models.forecast import HOUR, forecast
from models.staffing import ServiceLevel, agents_needed, agents_rostered
from schemas.errors import StoreUnavailable
from sinks import forecasts
from sinks.forecasts import ForecastRow
from sinks.store import Store

log = logging.getLogger("triage.planning")

HOURS_AHEAD = 48
MOST_SERIES = 100
WEEKS_BACK = 8
LEAST_HOURS = 24

_LOOK_EVERY = timedelta(minutes=1)


def planned(
    series: str, counts: Mapping[datetime, int], start: datetime, made_at: datetime, wanted: ServiceLevel
) -> list[ForecastRow]:
    """The hours of one series from `made_at` on. `counts` are tickets per hour since `start`; one left out had none."""
    history = np.array([float(counts.get(start + at * HOUR, 0)) for at in range((made_at - start) // HOUR)])
    ahead = forecast(history, start, hours=HOURS_AHEAD)
    return [
        ForecastRow(
            series=series,
            hour=hour.begins,
            expected=hour.expected,
            low=hour.low,
            high=hour.high,
            coverage=ahead.coverage,
            agents=(agents := agents_needed(hour.expected, wanted)),
            agents_at_high=agents_needed(hour.high, wanted),
            rostered=agents_rostered(agents, wanted),
            method=ahead.method,
        )
        for hour in ahead.hours
    ]


class Planner:
    """Keeps the forecasts in the store up to date until it is told to stop."""

    def __init__(self, store: Store, wanted: ServiceLevel, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._wanted = wanted
        self._clock = clock
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Forecast each hour once, until `stop`; a store that is away is asked again. Raises StoreRejected."""
        while not self._stopping.is_set():
            try:
                await self.plan()
            except StoreUnavailable as away:
                log.warning("no forecast yet: %s", away)
            try:
                await asyncio.wait_for(self._stopping.wait(), _LOOK_EVERY.total_seconds())
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Have `run` end after the series in hand."""
        self._stopping.set()

    async def plan(self) -> int:
        """Make the forecast that is due, if one is; gives the rows that were written."""
        made_at = await asyncio.to_thread(forecasts.due, self._store)
        if made_at is None:
            return 0
        found = await asyncio.to_thread(forecasts.hourly_counts, self._store, made_at, WEEKS_BACK, MOST_SERIES)
        start = min((hour for counts in found.values() for hour in counts), default=made_at)
        if made_at - start < LEAST_HOURS * HOUR:
            return 0
        rows: list[ForecastRow] = []
        for series, counts in found.items():
            if self._stopping.is_set():
                return 0
            # One at a time: deciding and archiving share the processor.
            rows += await asyncio.to_thread(planned, series, counts, start, made_at, self._wanted)
        now = self._clock().astimezone(UTC).replace(microsecond=0)
        await asyncio.to_thread(partial(forecasts.write, self._store, rows, made_at=made_at, now=now))
        log.info("forecast %d series from %s on", len(found), made_at.isoformat())
        return len(rows)
