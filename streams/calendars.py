"""The one way to a calendar: a time zone and the holidays of regions, for the watch, for forecasts and for files."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from models.weeks import WeekCalendar
from schemas.errors import BadSettings

YEARS = range(2000, 2100)
"""Tickets of other years have the holidays that were given as dates alone."""

_REGION = re.compile(r"(?P<country>[A-Za-z]{2})(-(?P<part>[A-Za-z0-9]{1,10}))?")
_EVERY_YEAR = re.compile(r"\d{2}-\d{2}")
_LEAP_YEAR = 2000


def calendar_of(zone: str, holidays: Iterable[str]) -> WeekCalendar:
    """The calendar of a time zone, and of holidays as `holidays_of` takes them. Raises BadSettings for unknown ones."""
    return WeekCalendar(zone_of(zone), holidays_of(holidays))


def zone_of(name: str) -> tzinfo:
    """The time zone of that name. Raises BadSettings where there is none."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadSettings(f"{name!r}: no such time zone; write one such as Europe/Berlin or UTC") from error


def holidays_of(names: Iterable[str]) -> frozenset[date]:
    """The days that `names` stand for: regions (`DE-BY`, `AT`), days (`2026-12-24`) and days of every year (`12-24`).

    Days count by themselves. Of several regions, a day counts that is a holiday in more than half of them: what is
    left of the tickets is then nearer to a Sunday's than to a workday's. Raises BadSettings for what is none of these.
    """
    regions: list[frozenset[date]] = []
    days: set[date] = set()
    for name in dict.fromkeys(name.strip() for name in names):
        if match := _REGION.fullmatch(name):
            regions.append(_of_region(match["country"].upper(), (match["part"] or "").upper()))
        else:
            days |= _days(name)
    shared = Counter(day for region in regions for day in region)
    return frozenset(days).union(day for day, many in shared.items() if 2 * many > len(regions))


def _days(name: str) -> set[date]:
    try:
        if not _EVERY_YEAR.fullmatch(name):
            return {date.fromisoformat(name)}
        day = date.fromisoformat(f"{_LEAP_YEAR}-{name}")
    except ValueError as error:
        raise BadSettings(
            f"{name!r} is no holiday; write a country or its part as ISO 3166 has it, such as DE-BY, a day as "
            "2026-12-24, or one of every year as 12-24"
        ) from error
    leaps = (day.month, day.day) == (2, 29)
    return {day.replace(year=year) for year in YEARS if not leaps or (year % 4 == 0 and year % 100) or year % 400 == 0}


@cache
def _of_region(country: str, part: str) -> frozenset[date]:
    import holidays  # noqa: PLC0415  it takes a second, which workers without regions do without

    known = sorted(holidays.list_supported_countries(include_aliases=False).get(country, ()))
    part = next((one for one in known if one.upper() == part), part)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of some countries some years are not known: these have no holidays
            return frozenset(holidays.country_holidays(country, subdiv=part or None, years=YEARS))
    except NotImplementedError as error:
        parts = f"; {country} has {', '.join(f'{country}-{one}' for one in known)}" if known else ""
        name = f"{country}-{part}" if part else country
        raise BadSettings(f"{name!r} is no region whose holidays are known, such as DE-BY or AT{parts}") from error
