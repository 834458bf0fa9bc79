"""Where a moment stands in its week: the seasonal clock of baselines and forecasts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta, tzinfo

WEEK = timedelta(weeks=1)
_DAY_S = 86_400.0
_SUNDAY = 6
_WIDTHS = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 180, 240, 360, 480, 720, 1440))


class WeekCalendar:
    """The wall clock of one region. A holiday stands where a Sunday stands.

    `zone` gives the local time, so that a profile follows the clock that people live by through summer time;
    `holidays` are local dates.
    """

    def __init__(self, zone: tzinfo = UTC, holidays: Collection[date] = ()) -> None:
        self.zone = zone
        self.holidays = frozenset(holidays)

    @property
    def is_plain(self) -> bool:
        """Whether it is UTC without holidays, where the hours of the week follow each other."""
        return self.zone is UTC and not self.holidays

    def holidays_between(self, first: float, last: float) -> list[date]:
        """The holidays from the day of one moment to that of another, in seconds since 1970, in order."""
        begins, ends = (datetime.fromtimestamp(at, self.zone).date() for at in (first, last))
        return sorted(day for day in self.holidays if begins <= day <= ends)

    def place(self, at: float) -> tuple[float, bool]:
        """Seconds since Monday 0:00 on the wall clock, and whether it is a holiday; `at` is seconds since 1970."""
        local = datetime.fromtimestamp(at, self.zone)
        holiday = bool(self.holidays) and local.date() in self.holidays
        weekday = _SUNDAY if holiday else local.weekday()
        clock = local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6
        return weekday * _DAY_S + clock, holiday


def slot_width(bucket: timedelta) -> timedelta:
    """The width of a slot of the week for counts per `bucket`: a quarter of an hour or the next width that holds one.

    Counts per more than a day have no place in the week: one slot holds it all.
    """
    return next((width for width in _WIDTHS if width >= bucket), WEEK)
