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


def forecast_all(
    history: Floats,
    start: datetime,
    *,
    hours: int,
    calendar: WeekCalendar | None = None,
    coverage: float = 0.8,
) -> list[Forecast]:
    """`forecast` of many series at once, (series, hours): all known, eight weeks at most.

    The same to rounding, at a small part of the cost: each day of the backtest is added to sums of its hours of the
    week. Raises ValueError as `forecast`, and for more hours.
    """
    series, known = history.shape
    if known < _DAY:
        raise ValueError("a forecast needs at least 24 hours of history")
    if known > _PROFILE_WEEKS * HOURS_OF_WEEK:
        raise ValueError(f"{known} hours are more than {_PROFILE_WEEKS} weeks")
    calendar = calendar or WeekCalendar()
    tested = max(0, min(_BACKTEST_DAYS, (known - 7 * _DAY) // _DAY))
    found = _by_places(history, _places(calendar, start.timestamp(), known + hours), tested)
    actual = history[:, known - tested * _DAY :]
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


def _by_places(history: Floats, places: NDArray[np.int64], tested: int) -> dict[str, Floats]:
    """What each method expects of the last `tested` days, each from what was known before it, and of the hours ahead.

    `history` is (series, hours); `places` are the hours of the week of these and of those ahead.
    """
    known = history.shape[1]
    spans = [(known - day * _DAY, known - (day - 1) * _DAY) for day in range(tested, 0, -1)]
    expected: dict[str, list[Floats]] = {name: [] for name in METHODS}
    tickets, visits, summed = np.zeros((HOURS_OF_WEEK, history.shape[0])), np.zeros(HOURS_OF_WEEK), 0
    for at, until in (*spans, (known, places.size)):
        ahead = places[at:until]
        np.add.at(tickets, places[summed:at], history[:, summed:at].T)
        np.add.at(visits, places[summed:at], 1.0)
        summed = at
        expected["profile x level"].append(_profiles(history[:, :at], places[:at], tickets.T, visits)[:, ahead])
        expected["median of four weeks"].append(_medians(history[:, :at], places[:at], ahead))
    return {name: np.concatenate(parts, axis=1) for name, parts in expected.items()}


def _profiles(history: Floats, places: NDArray[np.int64], tickets: Floats, visits: Floats) -> Floats:
    """`profile_times_level` of (series, hours), all known: what each hour of the week expects, (series, 168).

    `tickets` are the sums of the history's hours of the week, (series, 168), `visits` how often each was there.
    """
    mean = history.mean(axis=1)
    scale = np.where(mean > 0, mean, 1.0)[:, None]
    of_day, seen = (one.reshape(*one.shape[:-1], 7, _DAY).sum(axis=-2) for one in (tickets, visits))
    hourly = (of_day / scale + _DAY_STRENGTH) / (seen + _DAY_STRENGTH)
    profile = (tickets / scale + _SLOT_STRENGTH * np.tile(hourly, 7)) / (visits + _SLOT_STRENGTH)
    level = history[:, -_LEVEL_HOURS:].sum(axis=1) / np.maximum(profile[:, places[-_LEVEL_HOURS:]].sum(axis=1), 1e-9)
    return np.where(mean > 0, level, 0.0)[:, None] * profile


def _medians(history: Floats, places: NDArray[np.int64], ahead: NDArray[np.int64]) -> Floats:
    """`four_week_median` of (series, hours), all known, at the hours of the week `ahead`: (series, hours ahead)."""
    recent, at = history[:, -_MEDIAN_WEEKS * HOURS_OF_WEEK :], places[-_MEDIAN_WEEKS * HOURS_OF_WEEK :]
    medians = np.repeat(np.median(recent, axis=1)[:, None], HOURS_OF_WEEK, axis=1)
    wanted = np.flatnonzero(np.isin(at, ahead))
    if not wanted.size:
        return medians[:, ahead]
    order = wanted[np.argsort(at[wanted], kind="stable")]
    slots, begins, visits = np.unique(at[order], return_index=True, return_counts=True)
    # One visit of each hour of the week after the other; what an hour lacks is above all others.
    values = np.full((history.shape[0], slots.size, int(visits.max())), np.inf)
    for visit in range(values.shape[2]):
        some = visits > visit
        values[:, some, visit] = recent[:, order[begins[some] + visit]]
    values.sort(axis=2)
    of = np.arange(slots.size)
    medians[:, slots] = (values[:, of, (visits - 1) // 2] + values[:, of, visits // 2]) / 2
    return medians[:, ahead]


def _places(calendar: WeekCalendar, first: float, hours: int) -> NDArray[np.int64]:
    """The hours of the week at which so many `hours` stand, the first of which begins at `first`."""
    if calendar.is_plain:  # the same, a hundred times faster
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
