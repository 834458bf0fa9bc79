"""The clock and the holidays of those who write tickets: one way to them, and what they are good for at Christmas."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from test_watching import log_of, told, watch

from models.alerts import AlertBook, AlertSettings
from models.detector import DetectorSettings
from models.forecast import HOUR, forecast
from models.negative_binomial import NegativeBinomialDetector, threshold
from models.watching import WatchSettings
from models.weeks import WeekCalendar
from schemas.alerts import SpikeOpened
from schemas.errors import BadSettings, BadSnapshot
from streams.calendars import calendar_of, holidays_of
from streams.settings import Settings, load_settings

BERLIN = ZoneInfo("Europe/Berlin")
BAVARIA = calendar_of("Europe/Berlin", ["DE-BY", "12-24", "12-31"])
STATES = ("BW", "BY", "BE", "BB", "HB", "HH", "HE", "MV", "NI", "NW", "RP", "SL", "SN", "ST", "SH", "TH")


def test_each_german_state_has_its_own_holidays() -> None:
    of = {state: holidays_of([f"DE-{state}"]) for state in STATES}
    everywhere = {date(2026, 1, 1), date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 14)}
    everywhere |= {date(2026, 5, 25), date(2026, 10, 3), date(2026, 12, 25), date(2026, 12, 26)}
    assert all(everywhere <= days for days in of.values())

    def with_day(month: int, day: int) -> set[str]:
        return {state for state, days in of.items() if date(2026, month, day) in days}

    assert with_day(1, 6) == {"BW", "BY", "ST"}  # Epiphany
    assert with_day(6, 4) == {"BW", "BY", "HE", "NW", "RP", "SL"}  # Corpus Christi
    assert with_day(11, 1) == {"BW", "BY", "NW", "RP", "SL"}  # All Saints
    assert with_day(11, 18) == {"SN"}  # Repentance
    assert with_day(3, 8) == {"BE", "MV"}  # Women's Day


def test_other_countries_are_known_and_case_is_none() -> None:
    assert date(2026, 7, 14) in holidays_of(["fr"])
    assert date(2026, 8, 8) in holidays_of(["DE-AUGSBURG"]) - holidays_of(["DE-BY"])
    assert len(holidays_of(["IN"])) > 100, "of a country some of whose years nobody knows"


def test_of_several_regions_a_day_counts_that_is_a_holiday_in_more_than_half() -> None:
    epiphany, new_year, assumption = date(2026, 1, 6), date(2026, 1, 1), date(2026, 8, 15)
    assert {epiphany, new_year} <= holidays_of(["DE-BY", "AT"])
    assert not {epiphany} & holidays_of(["DE-BY", "DE-BE"]), "in one of two"
    assert {epiphany} <= holidays_of(["DE-BY", "DE-BE", "AT"])
    assert not {assumption} & holidays_of(["DE-BY", "DE-BE", "AT"])
    assert holidays_of(["DE-BY", "DE-BY", "DE-BE"]) == holidays_of(["DE-BE", "DE-BY"]), "a region counts once"


def test_days_count_by_themselves() -> None:
    assert holidays_of(["2026-12-24"]) == {date(2026, 12, 24)}
    assert {date(2026, 12, 24), date(2031, 12, 24)} <= holidays_of(["12-24", "DE-BY", "DE-BE"])
    assert {day.year for day in holidays_of(["02-29"])} == set(range(2000, 2100, 4))
    assert holidays_of([]) == frozenset()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("XX", "'XX' is no region"),
        ("DE-XX", "DE has DE-Augsburg, DE-BB, "),
        ("christmas", "'christmas' is no holiday"),
        ("2026-02-30", "'2026-02-30' is no holiday"),
        ("13-01", "'13-01' is no holiday"),
        ("", "'' is no holiday"),
    ],
)
def test_what_is_no_holiday_says_what_would_be(name: str, said: str) -> None:
    with pytest.raises(BadSettings, match=said):
        holidays_of([name])


def test_settings_have_the_calendar(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.calendar().is_plain
    monkeypatch.setenv("TRIAGE_TIME_ZONE", "Europe/Berlin")
    monkeypatch.setenv("TRIAGE_HOLIDAYS", "DE-BY, 12-24,12-31,")
    calendar = load_settings().calendar()
    assert (calendar.zone, calendar.holidays) == (BERLIN, BAVARIA.holidays)
    monkeypatch.setenv("TRIAGE_HOLIDAYS", "DE-XX")
    with pytest.raises(BadSettings, match="TRIAGE_HOLIDAYS: 'DE-XX'"):
        load_settings().calendar()
    monkeypatch.setenv("TRIAGE_TIME_ZONE", "Bavaria")
    with pytest.raises(BadSettings, match="TRIAGE_TIME_ZONE: 'Bavaria': no such time zone"):
        load_settings()


def rates_of(start: date, days: int) -> np.ndarray:
    """Tickets of an hour at noon, day by day: a fifth on Sundays and on holidays, two fifths on Saturdays."""
    dates = [start + timedelta(days=day) for day in range(days)]
    quiet = {day for day in dates if day.weekday() == 6 or day in BAVARIA.holidays}
    return np.array([20.0 if day in quiet else 40.0 if day.weekday() == 5 else 100.0 for day in dates])


def christmas(calendar: WeekCalendar) -> tuple[list[SpikeOpened], float]:
    """What opens from Christmas Eve to 30 December where the second of two series has five times its tickets for an
    hour on Christmas Day, and the highest score of the first series.
    """
    start, days = date(2026, 11, 30), 31
    cut = DetectorSettings.for_spacing(timedelta(minutes=15))
    detector = NegativeBinomialDetector(2, cut, calendar)
    book = AlertBook(["calm", "spike"], AlertSettings(threshold=threshold(100, 2, cut.bucket)), cut)
    at = datetime(start.year, start.month, start.day, tzinfo=BERLIN).timestamp()
    noon = datetime(2026, 12, 25, 12, tzinfo=BERLIN).timestamp()
    of_day = np.clip(np.sin(np.pi * (np.arange(96) / 4 - 7) / 12), 0.02, 1)
    random = np.random.default_rng(3)
    opened: list[SpikeOpened] = []
    highest = 0.0
    for day, rate in enumerate(rates_of(start, days)):
        for mean in rate * of_day:
            at += 900
            spike = 5.0 if noon < at <= noon + 3600 else 1.0
            scores = detector.observe(at, random.poisson([mean, spike * mean]).astype(float))
            events = book.advance(scores)
            if start + timedelta(days=day) >= date(2026, 12, 24):
                opened += [event for event in events if isinstance(event, SpikeOpened)]
                highest = max(highest, float(scores.score[0]))
    return opened, highest


def test_a_spike_at_christmas_is_found_and_who_knows_the_holidays_is_calmer_about_the_days_around() -> None:
    (found,), highest = christmas(BAVARIA)
    assert (found.series, found.onset.astimezone(BERLIN).date()) == ("spike", date(2026, 12, 25))
    assert found.detected_at.astimezone(BERLIN).hour == 12
    _, highest_unaware = christmas(WeekCalendar(BERLIN))
    assert highest < highest_unaware - 0.5, (
        "after quiet days, a workday looks more like a spike to who knows no holidays"
    )


def test_a_forecast_of_christmas_is_nearer_for_who_knows_the_holidays() -> None:
    start = date(2026, 10, 29)
    of_day = np.clip(np.sin(np.pi * (np.arange(24) - 6) / 14), 0, 1)
    expected = np.outer(rates_of(start, 59), of_day).ravel()  # up to the end of 26 December
    counts = np.random.default_rng(4).poisson(expected).astype(float)
    known = 57 * 24
    begins = datetime(2026, 10, 29, tzinfo=BERLIN).astimezone(UTC)

    def error(calendar: WeekCalendar) -> float:
        ahead = forecast(counts[:known], begins, hours=48, calendar=calendar)
        assert ahead.hours[0].begins == begins + known * HOUR
        off = np.abs([hour.expected for hour in ahead.hours] - counts[known : known + 48])
        return float(off.sum() / counts[known : known + 48].sum())

    assert error(BAVARIA) < 0.35
    assert error(WeekCalendar(BERLIN)) > 1.5, "of a Friday and a Saturday"


FIRST_DAY = date(2026, 3, 2)  # of the log
MONDAY = WatchSettings(slots=32, calendar=WeekCalendar(BERLIN, [FIRST_DAY]))


@pytest.mark.parametrize(
    "other",
    [
        WeekCalendar(UTC, [FIRST_DAY]),
        WeekCalendar(BERLIN),
        WeekCalendar(BERLIN, [FIRST_DAY + timedelta(days=1)]),
    ],
)
def test_a_snapshot_of_a_watch_that_has_scored_by_another_calendar_is_refused(other: WeekCalendar) -> None:
    seen = watch(settings=MONDAY)
    told(seen, log_of({}, 0.5))
    with pytest.raises(BadSnapshot, match="another calendar"):
        watch(settings=replace(MONDAY, calendar=other)).restore(seen.to_bytes())


def test_holidays_of_days_to_come_may_be_added_and_all_is_as_if_they_had_been_there_before() -> None:
    log = log_of({"network": (120, 140)})
    now = replace(MONDAY, calendar=WeekCalendar(BERLIN, [FIRST_DAY - timedelta(days=1)]))
    later = replace(MONDAY, calendar=WeekCalendar(BERLIN, [date(2026, 3, 3), date(2026, 12, 24)]))
    whole, seen, again = watch(settings=later), watch(settings=now), watch(settings=later)
    words = told(whole, log)
    cut = 2 * len(log) // 3
    before = told(seen, log[:cut])
    again.restore(seen.to_bytes())
    assert before + told(again, log, cut) == words != []
    assert again.to_bytes() == whole.to_bytes()
