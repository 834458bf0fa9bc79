"""What is coming: tickets per hour for the next days, with intervals, by the method that was right in the last weeks.

Two methods, of which a backtest on each series chooses: a profile of the week times the level of the last two weeks,
and the median of the same hour in the last four weeks. Both learn in a second and have nothing to diverge. Intervals
are quantiles of the method's own relative errors in the backtest (split conformal prediction: Lei et al. 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from models.weeks import WeekCalendar

Floats = NDArray[np.float64]

HOUR = timedelta(hours=1)
HOURS_OF_WEEK = 168
_DAY = 24
_LEVEL_HOURS = 14 * _DAY
_PROFILE_WEEKS = 8
_MEDIAN_WEEKS = 4
_BACKTEST_DAYS = 14
_SLOT_STRENGTH, _DAY_STRENGTH = 2.0, 1.0
_FIRST_THURSDAY_S = 3 * 86_400
"""1970 began on a Thursday: so long after Monday 0:00."""
_FLOOR = 1.0
"""Added to an expectation before errors are taken relative to its root: an hour that expects nothing has errors too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastHour:
    """One hour ahead: expected tickets, and the limits between which `coverage` of such hours fall."""

    begins: datetime
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The hours ahead, the method that was chosen, and each method's error in the backtest.

    `wape` maps a method to its weighted absolute percentage error, 0 to 1 and more, over hours that were forecast a
    day ahead; it is empty where the history is too short for a backtest.
    """

    hours: tuple[ForecastHour, ...]
    method: str
    wape: Mapping[str, float]
    coverage: float


def profile_times_level(history: Floats, places: NDArray[np.int64], ahead: NDArray[np.int64]) -> Floats:
    """Expected counts at the hours of the week `ahead`, from hourly `history` that stood at `places`; NaN is unknown.

    The profile comes from up to eight weeks, an hour of the week shrunk towards that hour of all days; the level is
    what two weeks had for each unit of the profile.
    """
    recent, at = history[-_PROFILE_WEEKS * HOURS_OF_WEEK :], places[-_PROFILE_WEEKS * HOURS_OF_WEEK :]
    known = ~np.isnan(recent)
    mean = float(recent[known].mean()) if known.any() else 0.0
    if mean <= 0:
        return np.zeros(ahead.size)
    share = recent[known] / mean
    per_slot = np.bincount(at[known], weights=share, minlength=HOURS_OF_WEEK)
    visits = np.bincount(at[known], minlength=HOURS_OF_WEEK)
    hours = at[known] % _DAY
    per_hour = np.bincount(hours, weights=share, minlength=_DAY)
    hourly = (per_hour + _DAY_STRENGTH) / (np.bincount(hours, minlength=_DAY) + _DAY_STRENGTH)
    profile = (per_slot + _SLOT_STRENGTH * np.tile(hourly, 7)) / (visits + _SLOT_STRENGTH)
    last, stood = history[-_LEVEL_HOURS:], places[-_LEVEL_HOURS:]
    seen = ~np.isnan(last)
    level = float(last[seen].sum() / max(profile[stood[seen]].sum(), 1e-9)) if seen.any() else mean
    return level * profile[ahead]


def four_week_median(history: Floats, places: NDArray[np.int64], ahead: NDArray[np.int64]) -> Floats:
    """The median of the same hour of the week over the last four weeks; where it was never seen, of all hours."""
    recent, at = history[-_MEDIAN_WEEKS * HOURS_OF_WEEK :], places[-_MEDIAN_WEEKS * HOURS_OF_WEEK :]
    known = ~np.isnan(recent)
    typical = float(np.median(recent[known])) if known.any() else 0.0
    medians = np.full(HOURS_OF_WEEK, typical)
    order = np.lexsort((recent[known], at[known]))
    slots, begins, visits = np.unique(at[known][order], return_index=True, return_counts=True)
    counts = recent[known][order]
    medians[slots] = (counts[begins + (visits - 1) // 2] + counts[begins + visits // 2]) / 2
    return medians[ahead]


METHODS: Mapping[str, Callable[[Floats, NDArray[np.int64], NDArray[np.int64]], Floats]] = {
    "profile x level": profile_times_level,
    "median of four weeks": four_week_median,
}


def forecast(
    history: Floats,
    start: datetime,
    *,
    hours: int,
    calendar: WeekCalendar | None = None,
    coverage: float = 0.8,
) -> Forecast:
    """The `hours` that follow an hourly `history` from `start`, NaN where nothing is known.

    Raises ValueError where less than a day is known, or `coverage` is not between 0 and 1.
    """
    if int((~np.isnan(history)).sum()) < _DAY:
        raise ValueError("a forecast needs at least 24 hours of history")
    if not 0 < coverage < 1:
        raise ValueError("the coverage has to be between 0 and 1")
    calendar = calendar or WeekCalendar()
    first = start.timestamp()
    places = _places(calendar, first, history.size + hours)
    past, ahead = places[: history.size], places[history.size :]
    wape, errors = _backtest(history, past)
    method = min(METHODS, key=lambda name: wape.get(name, 0.0))
    expected = METHODS[method](history, past, ahead)
    low, high = _limits(expected, errors.get(method), coverage)
    begins = [datetime.fromtimestamp(first + 3600 * (history.size + at), UTC) for at in range(hours)]
    rows = zip(begins, expected.tolist(), low.tolist(), high.tolist(), strict=True)
    return Forecast(
        hours=tuple(
            ForecastHour(begins=begin, expected=middle, low=least, high=most) for begin, middle, least, most in rows
        ),
        method=method,
        wape=wape,
        coverage=coverage,
    )


def _places(calendar: WeekCalendar, first: float, hours: int) -> NDArray[np.int64]:
    """The hours of the week at which so many `hours` stand, the first of which begins at `first`."""
    if calendar.zone is UTC and not calendar.holidays:  # the same, a hundred times faster
        return ((int(first + 1800 + _FIRST_THURSDAY_S) // 3600 + np.arange(hours)) % HOURS_OF_WEEK).astype(np.int64)
    middles = (first + 3600 * at + 1800 for at in range(hours))
    return np.array([int(calendar.place(at)[0] // 3600) % HOURS_OF_WEEK for at in middles], dtype=np.int64)


def _backtest(history: Floats, places: NDArray[np.int64]) -> tuple[dict[str, float], dict[str, Floats]]:
    """Each method's error and scaled errors over the last days, each day forecast from what was known before it."""
    days = min(_BACKTEST_DAYS, (history.size - 7 * _DAY) // _DAY)
    if days < 1:
        return {}, {}
    wape: dict[str, float] = {}
    scaled: dict[str, Floats] = {}
    for name, method in METHODS.items():
        begins = [history.size - day * _DAY for day in range(days, 0, -1)]
        expected = np.concatenate([method(history[:at], places[:at], places[at : at + _DAY]) for at in begins])
        actual = history[history.size - days * _DAY :]
        known = ~np.isnan(actual)
        off = actual[known] - expected[known]
        wape[name] = float(np.abs(off).sum() / max(float(actual[known].sum()), 1e-9))
        scaled[name] = off / np.sqrt(expected[known] + _FLOOR)
    return wape, scaled


def _limits(expected: Floats, errors: Floats | None, coverage: float) -> tuple[Floats, Floats]:
    """Limits around `expected` from scaled errors; without a backtest, those of a Poisson count doubled."""
    root = np.sqrt(expected + _FLOOR)
    if errors is None or not errors.size:
        return np.maximum(expected - 2 * root, 0.0), expected + 2 * root
    tail = (1 - coverage) / 2
    least, most = float(np.quantile(errors, tail)), float(np.quantile(errors, 1 - tail))
    return np.maximum(expected + min(least, 0.0) * root, 0.0), expected + max(most, 0.0) * root
