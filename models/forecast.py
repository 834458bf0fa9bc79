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


def forecast_all(history: Floats, start: datetime, *, hours: int, coverage: float = 0.8) -> list[Forecast]:
    """`forecast` of many series at once, (series, hours), in UTC without holidays: all known, eight weeks at most.

    The same to rounding, at a small part of the cost: each day is added to sums of its hours of the week, and what was
    known before a day of the backtest is what the sums hold there. Raises ValueError as `forecast`, and for more hours.
    """
    series, known = history.shape
    if known < _DAY:
        raise ValueError("a forecast needs at least 24 hours of history")
    if known > _PROFILE_WEEKS * HOURS_OF_WEEK:
        raise ValueError(f"{known} hours are more than {_PROFILE_WEEKS} weeks")
    days, ahead = -(-known // _DAY), -(-hours // _DAY)
    # Days end where the history ends. The first may be a part; what it lacks is neither a ticket nor an hour.
    counts = np.zeros((series, days * _DAY))
    counts[:, days * _DAY - known :] = history
    counts = counts.reshape(series, days, _DAY)
    seen = np.ones((days, _DAY))
    seen[0, : days * _DAY - known] = 0.0
    tested = max(0, min(_BACKTEST_DAYS, (known - 7 * _DAY) // _DAY))
    tickets, visits = np.zeros((series, 7, _DAY)), np.zeros((7, _DAY))
    expected: dict[str, list[Floats]] = {name: [] for name in METHODS}
    for day in range(days + 1):
        if day >= days - tested:
            following = range(day, day + (ahead if day == days else 1))
            level = _level(counts, seen, day, tickets, visits)
            expected["profile x level"] += [level[:, one % 7] for one in following]
            if tested:
                expected["median of four weeks"] += [_median(counts, seen, day, one) for one in following]
        if day < days:
            tickets[:, day % 7] += counts[:, day]
            visits[day % 7] += seen[day]
    found = {name: np.concatenate(parts, axis=1) for name, parts in expected.items() if parts}
    actual = counts[:, days - tested :].reshape(series, tested * _DAY)
    off = {name: actual - some[:, : tested * _DAY] for name, some in found.items()}
    total = np.maximum(actual.sum(axis=1), 1e-9)
    wape = {name: np.abs(some).sum(axis=1) / total for name, some in off.items()}
    limits = {
        name: _limits(
            some[:, tested * _DAY :][:, :hours], off[name] / np.sqrt(some[:, : tested * _DAY] + _FLOOR), coverage
        )
        for name, some in found.items()
    }
    moments = [datetime.fromtimestamp(start.timestamp() + 3600 * (known + at), UTC) for at in range(hours)]
    forecasts: list[Forecast] = []
    for place in range(series):
        errors = {name: float(some[place]) for name, some in wape.items()} if tested else {}
        method = min(METHODS, key=lambda name: errors.get(name, 0.0))
        middle = found[method][place, tested * _DAY :][:hours]
        low, high = (limit[place] for limit in limits[method])
        rows = zip(moments, middle.tolist(), low.tolist(), high.tolist(), strict=True)
        forecasts.append(
            Forecast(
                hours=tuple(
                    ForecastHour(begins=at, expected=mean, low=least, high=most) for at, mean, least, most in rows
                ),
                method=method,
                wape=errors,
                coverage=coverage,
            )
        )
    return forecasts


def _level(counts: Floats, seen: Floats, day: int, tickets: Floats, visits: Floats) -> Floats:
    """`profile_times_level` of the days before `day`: what each hour of the week expects, (series, 7, 24)."""
    mean = tickets.sum(axis=(1, 2)) / visits.sum()
    scale = np.where(mean > 0, mean, 1.0)[:, None]
    hourly = (tickets.sum(axis=1) / scale + _DAY_STRENGTH) / (visits.sum(axis=0) + _DAY_STRENGTH)
    profile = (tickets / scale[..., None] + _SLOT_STRENGTH * hourly[:, None]) / (visits + _SLOT_STRENGTH)
    last = range(max(0, day - _LEVEL_HOURS // _DAY), day)
    stood = np.zeros(visits.shape)
    for one in last:
        stood[one % 7] += seen[one]
    had = counts[:, last.start : last.stop].sum(axis=(1, 2))
    level = had / np.maximum((profile * stood).sum(axis=(1, 2)), 1e-9)
    return np.where(mean > 0, level, 0.0)[:, None, None] * profile


def _median(counts: Floats, seen: Floats, day: int, of: int) -> Floats:
    """`four_week_median` of the days before `day` at the hours of the day `of`, (series, 24); each was seen before."""
    days = [
        one
        for one in range(of - 7 * (_MEDIAN_WEEKS + 1), day)
        if max(0, day - 7 * _MEDIAN_WEEKS) <= one and (of - one) % 7 == 0
    ]
    values = np.sort(np.where(seen[days] > 0, counts[:, days], np.inf), axis=1)
    visits = seen[days].sum(axis=0).astype(np.int64)
    hours = np.arange(_DAY)
    return (values[:, (visits - 1) // 2, hours] + values[:, visits // 2, hours]) / 2


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
    """Limits around `expected` from scaled errors, both (..., hours); without errors, a Poisson count's, doubled."""
    root = np.sqrt(expected + _FLOOR)
    if errors is None or not errors.size:
        return np.maximum(expected - 2 * root, 0.0), expected + 2 * root
    tail = (1 - coverage) / 2
    least, most = np.quantile(errors, [tail, 1 - tail], axis=-1, keepdims=True)
    return np.maximum(expected + np.minimum(least, 0.0) * root, 0.0), expected + np.maximum(most, 0.0) * root
