"""The profile of a week: what part of a series' level each slot of it expects, leant on all that is like that slot.

A slot alone is seen once a week. So it leans on the same time of like days, that on the hours around it, a weekend's on
workdays' at that time, and those on the parent series' profile. Each is a gamma prior of what the next one's tickets
say (Clayton and Kaldor 1987, *Empirical Bayes Estimates of Age-Standardized Relative Risks*).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from models.detector import Floats

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_WORKDAYS = 5

# What a prior is worth in expected tickets: the parent's profile, workdays for a weekend, the hours around for a time
# of day, that time for a slot of the week; and that a weekend has as many tickets as workdays.
_PARENT, _WORKDAYS_HOURS, _HOURS, _TIME_OF_DAY = 5.0, 60.0, 100.0, 400.0
_RATIO_PRIOR = 5.0
_RATIO_LIMITS = (0.02, 50.0)
_LIMITS = (0.01, 63.0)
_SHARED_SLOTS = (4.0, 3.0, 1.0)
"""How many slots of a day are added up as one, as far as their activity is the same: hours, a time of day, a slot."""

Levels = Sequence[tuple[NDArray[np.int64], NDArray[np.int64] | None]]
"""The series from the top down: members of a level, and the parent of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeksSeen:
    """What was seen of past weeks, each weighing less than the next.

    `tickets` and what the level alone expected in the time that was seen, `expected`, are (slots, series);
    `weekend_tickets` and what workdays' hours would have expected then, `weekend_expected`, are (series).
    """

    tickets: NDArray[np.float32]
    expected: NDArray[np.float32]
    weekend_tickets: Floats
    weekend_expected: Floats


@dataclass(frozen=True, slots=True)
class _Step:
    """Tickets that were seen, those that a profile of 1 expects, both (series), and what the prior before is worth.

    `buckets` share one activity; `doubt` is the squared relative error of what is expected.
    """

    tickets: Floats
    expected: Floats
    strength: float
    buckets: float
    doubt: Floats | None = None


class WeekProfiles:
    """The profiles of the series of `levels`, over so many `slots` of a week, each of one `width`.

    Counts come per `bucket`; activity over or below the profile `lasts` so long.
    """

    def __init__(self, slots: int, width: timedelta, bucket: timedelta, lasts: timedelta, levels: Levels) -> None:
        self._levels = levels
        self._per_day = max(1, round(_DAY / width))
        self._days = max(1, slots // self._per_day)
        self._reach = round(_HOUR / width)
        # Over a slot that is long, activity comes and goes.
        self._shared = [part * min(1.0, 2 * lasts / width) * (width / bucket) for part in _SHARED_SLOTS]

    def is_weekend(self, slot: int) -> bool:
        """Whether a slot is of a Saturday or a Sunday."""
        return slot // self._per_day >= _WORKDAYS

    def workdays(self, slot: int, seen: WeeksSeen) -> Floats:
        """The part of its level that each series has on workdays, in the hours around the time of day of `slot`."""
        rows = self._around(slot, self._reach, weekend=False)
        return (_row_sum(seen.tickets, rows) + _PARENT) / (_row_sum(seen.expected, rows) + _PARENT)

    def of(self, slot: int, seen: WeeksSeen, wanders: Floats) -> tuple[Floats, Floats]:
        """The profile of a slot of the week, series by series, where 1 is the mean of the week; and its doubt.

        `wanders` is the variance of activity times a series' mean tickets per bucket: what made one day busy is in all
        of its tickets, so that many of one day settle hardly more than some. The doubt is the squared relative error
        that is left: what the tickets of each step do not settle.
        """
        steps = self._steps(slot, seen, wanders)
        profile, doubt = np.ones(wanders.size), np.ones(wanders.size)
        for members, parents in self._levels:
            value = profile[parents] if parents is not None else np.ones(members.size)
            unsure = np.zeros(members.size)
            for step in steps:
                clumps = 1 + step.buckets * wanders[members] * value
                firm = step.strength * clumps
                own = step.expected[members] * value
                weight = own + firm
                value = value * (step.tickets[members] + firm) / weight
                unsure = (firm / weight) ** 2 * unsure + clumps / weight
                if step.doubt is not None:
                    unsure += (own / weight) ** 2 * step.doubt[members]
            profile[members], doubt[members] = value, unsure
        return np.clip(profile, *_LIMITS), doubt

    def _steps(self, slot: int, seen: WeeksSeen, wanders: Floats) -> list[_Step]:
        """What a slot leans on, from the widest to itself. Workdays are alike, and so are the days of a weekend."""
        weekend = self.is_weekend(slot)
        hours, near, own = self._shared

        def step(rows: NDArray[np.int64], strength: float, buckets: float) -> _Step:
            return _Step(_row_sum(seen.tickets, rows), _row_sum(seen.expected, rows), strength, buckets)

        steps = [
            step(self._around(slot, self._reach, weekend=weekend), _WORKDAYS_HOURS if weekend else _PARENT, hours),
            step(self._around(slot, min(1, self._reach), weekend=weekend), _HOURS, near),
            step(np.array([slot]), _TIME_OF_DAY, own),
        ]
        if weekend:
            workdays = step(self._around(slot, self._reach, weekend=False), _PARENT, hours)
            ratio, doubt = self._weekend_ratio(seen, wanders)
            steps.insert(0, replace(workdays, expected=workdays.expected / ratio, doubt=doubt))
        return steps

    def _weekend_ratio(self, seen: WeeksSeen, wanders: Floats) -> tuple[Floats, Floats]:
        """How many tickets a weekend's hours have for one of workdays', and the squared relative error of that."""
        ratio, doubt = np.ones(wanders.size), np.ones(wanders.size)
        for members, parents in self._levels:
            before = ratio[parents] if parents is not None else np.ones(members.size)
            clumps = 1 + self._shared[0] * wanders[members]
            firm = _RATIO_PRIOR * clumps
            weight = seen.weekend_expected[members] * before + firm
            ratio[members] = before * (seen.weekend_tickets[members] + firm) / weight
            doubt[members] = clumps / weight
        return np.clip(ratio, *_RATIO_LIMITS), doubt

    def _around(self, slot: int, reach: int, *, weekend: bool) -> NDArray[np.int64]:
        """The slots up to `reach` from the time of day of `slot`, on all workdays or on both days of a weekend."""
        days = [day for day in range(self._days) if (day >= _WORKDAYS) == weekend]
        time = slot % self._per_day
        near = [(time + off) % self._per_day for off in range(-reach, reach + 1)]
        return np.array([day * self._per_day + at for day in days for at in near])


def levels_of(series: int, parents: Sequence[int] | None) -> Levels:
    """The series from the top down: members of a level, and the parent of each. Raises ValueError for a circle."""
    given = np.full(series, -1, dtype=np.int64) if parents is None else np.asarray(parents, dtype=np.int64)
    if given.shape != (series,) or (given >= series).any():
        raise ValueError(f"parents name series beyond the {series} that there are")
    depth = np.zeros(series, dtype=np.int64)
    above = given.copy()
    while (above >= 0).any():
        depth += above >= 0
        if depth.max(initial=0) > series:
            raise ValueError("a series is its own ancestor")
        above = np.where(above >= 0, given[above], -1)
    levels: list[tuple[NDArray[np.int64], NDArray[np.int64] | None]] = []
    for at in range(int(depth.max(initial=0)) + 1):
        members = np.flatnonzero(depth == at)
        levels.append((members, given[members] if at else None))
    return levels


def _row_sum(table: NDArray[np.float32], rows: NDArray[np.int64]) -> Floats:
    """The sum of some rows, row after row, so that the order does not depend on how many series there are."""
    total = np.zeros(table.shape[1])
    for row in rows.tolist():
        total += table[row]
    return total
