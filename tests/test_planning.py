"""Forecasts in the store: made once for each hour of event time, and held against what came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from examples import forecast_row, position
from hypothesis import given, settings
from hypothesis import strategies as st

from models.counting import CountingSettings
from models.forecast import HOUR, forecast, forecast_all, four_week_median
from models.staffing import MOST_AGENTS, ServiceLevel, agents_needed, most_tickets
from models.weeks import WeekCalendar
from schemas import topics
from schemas.counts import BucketCounts
from sinks import forecasts
from sinks.archive import Archive
from sinks.forecasts import passed_hour
from sinks.queries import named_queries
from sinks.rows import counts_row
from sinks.store import Store
from streams.planning import HOURS_AHEAD, Planner, RecentHours, agents_at

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
NOW = datetime.now(UTC)


def tickets(hour: datetime) -> int:
    return 40 if 8 <= hour.hour < 18 and hour.weekday() < 5 else 4


def fill(store: Store, hours: Iterable[datetime], first: int = 0) -> None:
    """One bucket an hour, at its 30th minute; a third of the tickets are the network team's."""
    halves = [hour + timedelta(minutes=30) for hour in hours]
    write(store, [counts(half, tickets(half), number) for number, half in enumerate(halves, first)])


def counts(bucket: datetime, number: int, through: int, partition: int = 0) -> BucketCounts:
    series = {"all=tickets": number, "team=network": number // 3, "channel=mail": 1}
    return BucketCounts(partition=partition, bucket=bucket, through=through, counts=series)


def write(store: Store, log: Sequence[BucketCounts], first: int | None = None) -> None:
    """Archive what the log of counts has from offset `first` on: of the first's `through`, unless it is said."""
    offset = log[0].through if first is None else first
    rows = [counts_row(one, position(at, topic=topics.COUNTS.name)) for at, one in enumerate(log, offset)]
    Archive(store).write(rows, now=NOW.replace(microsecond=0))


def made_before(store: Store, made_at: datetime) -> None:
    """Have a forecast in the store, of something else: only later ones are due."""
    row = forecast_row(series="tenant=x", hour=made_at, made_at=made_at)
    forecasts.write(store, [row], now=NOW)


def planner(store: Store, partitions: int = 1) -> Planner:
    return Planner(store, partitions, ServiceLevel(), lambda: NOW)


async def plan(over: Planner, store: Store) -> int:
    """Forecast all that is due; gives the rows that the store has more."""
    before = rows_of(store)
    while await over.plan():
        pass
    return len(rows_of(store)) - len(before)


def rows_of(store: Store) -> list[tuple[object, ...]]:
    columns = "series, hour, made_at, expected, low, high, coverage, agents, agents_at_high, rostered, method"
    return list(store.query(f"SELECT {columns} FROM forecasts FINAL ORDER BY series, hour, made_at").rows)  # noqa: S608  ours


async def test_an_empty_store_and_less_than_a_day_of_counts_give_no_forecast(store: Store) -> None:
    assert await plan(planner(store), store) == 0
    fill(store, [START + at * HOUR for at in range(24)])
    assert await plan(planner(store), store) == 0
    fill(store, [START + 24 * HOUR], first=24)
    assert await plan(planner(store), store) == 2 * HOURS_AHEAD


async def test_each_hour_has_one_forecast_however_fast_hours_come(store: Store) -> None:
    fill(store, [START + at * HOUR for at in range(30)])
    over = planner(store)
    assert await plan(over, store) == 2 * HOURS_AHEAD * 6
    assert await plan(over, store) == 0
    assert await plan(planner(store), store) == 0  # as after a restart
    fill(store, [START + 30 * HOUR], first=30)
    assert await plan(over, store) == 2 * HOURS_AHEAD
    found = store.query("SELECT made_at, count() FROM forecasts GROUP BY made_at ORDER BY made_at").rows
    assert [(at.replace(tzinfo=UTC), rows) for at, rows in found] == [(START + at * HOUR, 96) for at in range(24, 31)]


@pytest.mark.parametrize("cuts", [[1, 24, 53, 55, 80], range(0, 80, 13)])
async def test_forecasts_follow_from_the_log_of_counts_wherever_the_planner_was_stopped(
    store: Store, cuts: Sequence[int]
) -> None:
    """The second of two partitions is read late, and tells of an hour once more when that is whole."""
    log: list[BucketCounts] = []
    for at in range(40):
        hour = START + at * HOUR
        log.append(counts(hour + timedelta(minutes=30), tickets(hour), len(log)))
        if at % 5 == 4:
            for begins in (hour - back * HOUR for back in range(4, -1, -1)):
                log.append(counts(begins + timedelta(minutes=20), 7, len(log), 1))
            log.append(counts(hour - 2 * HOUR, 99, len(log), 1))
    write(store, log, first=0)
    assert await plan(planner(store, 2), store) > 0
    expected = rows_of(store)
    for table in ("forecasts", "bucket_counts"):
        store.command(f"TRUNCATE TABLE {table}")
    goes_on = planner(store, 2)
    for number, (begins, ends) in enumerate(pairwise([0, *cuts, len(log)])):
        if begins < ends:
            write(store, log[begins:ends], first=begins)
        await plan(goes_on if number % 2 else planner(store, 2), store)
    assert rows_of(store) == expected


async def test_an_hour_waits_for_the_partition_that_is_behind_until_that_is_marked(store: Store) -> None:
    fill(store, [START + at * HOUR for at in range(30)])
    assert await plan(planner(store, 2), store) == 0
    mark = BucketCounts(partition=1, bucket=START + 25 * HOUR + timedelta(minutes=3), through=-1, counts={})
    write(store, [mark], first=30)
    assert await plan(planner(store, 2), store) == 2 * 2 * HOURS_AHEAD
    made = {row[2].replace(tzinfo=UTC) for row in rows_of(store)}  # type: ignore[attr-defined]  a datetime
    assert made == {START + 24 * HOUR, START + 25 * HOUR}


async def test_a_ticket_of_long_ago_keeps_nothing_waiting_and_a_flood_stops_nobody(store: Store) -> None:
    write(store, [counts(datetime(1970, 1, 1, tzinfo=UTC), 1, 0)])
    fill(store, [START + at * HOUR for at in range(24)], first=1)
    write(store, [counts(START + 24 * HOUR, 10**9, 25), counts(START + 26 * HOUR, 1, 26)])
    await plan(planner(store), store)
    of_all = [row for row in rows_of(store) if row[0] == "all=tickets"]
    newest = max(row[2] for row in of_all)  # type: ignore[type-var]  datetimes
    assert MOST_AGENTS in {row[8] for row in of_all if row[2] == newest}


def test_a_calendar_in_utc_and_one_in_a_zone_that_is_utc_forecast_the_same() -> None:
    history = np.random.default_rng(3).poisson(9, 900).astype(float)
    history[::17] = np.nan
    start = START + 5 * HOUR
    of_a_zone = forecast(history, start, hours=48, calendar=WeekCalendar(ZoneInfo("UTC")))
    assert forecast(history, start, hours=48) == of_a_zone
    places = (np.arange(900) + 5) % 168
    recent, ahead = history[-4 * 168 :], np.arange(168)
    medians = [np.nanmedian(recent[places[-4 * 168 :] == place]) for place in range(168)]
    assert four_week_median(history, places, ahead).tolist() == medians


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    known=st.integers(24, 8 * 168),
    rates=st.lists(st.sampled_from([0.0, 0.02, 0.5, 3.0, 200.0]), min_size=1, max_size=4),
    calendar=st.builds(
        WeekCalendar,
        st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")]),
        st.sets(st.integers(0, 8 * 7 + 2).map(lambda day: START.date() + timedelta(days=day)), max_size=9),
    ),
)
def test_series_that_are_forecast_together_are_forecast_as_each_alone(
    seed: int, known: int, rates: list[float], calendar: WeekCalendar
) -> None:
    hours = np.arange(known)
    rhythm = 1 + 0.8 * np.sin(hours * 2 * np.pi / 24) * (hours % 168 < 120)
    history = np.random.default_rng(seed).poisson(np.outer(rates, rhythm)).astype(float)
    start = START + seed % 168 * HOUR
    together = forecast_all(history, start, hours=HOURS_AHEAD, calendar=calendar)
    for one, row in zip(together, history, strict=True):
        alone = forecast(row, start, hours=HOURS_AHEAD, calendar=calendar)
        assert one.wape == pytest.approx(alone.wape, rel=1e-9, abs=1e-9)
        errors = list(alone.wape.values())
        if not errors or min(abs(errors[0] - errors[1]), 1) > 1e-9:  # of two that are as good, rounding chooses
            assert one.method == alone.method
            for left, right in zip(one.hours, alone.hours, strict=True):
                assert left.begins == right.begins
                assert (left.expected, left.low, left.high) == pytest.approx(
                    (right.expected, right.low, right.high), abs=1e-6, rel=1e-9
                )


@pytest.mark.parametrize("wanted", [ServiceLevel(), ServiceLevel(handling=timedelta(hours=2), share=0.95)])
def test_agents_that_are_looked_up_are_those_that_are_worked_out(wanted: ServiceLevel) -> None:
    rates = [0.0, 1e-9, 0.3, *np.random.default_rng(7).gamma(0.6, 60, 400), 1e4, 1e9]
    for agents in range(1, 12):
        limit = most_tickets(agents, wanted)
        rates += [limit, float(np.nextafter(limit, 1e9))]
        assert agents_needed(limit, wanted) <= agents < agents_needed(float(np.nextafter(limit, 1e9)), wanted)

    def worked_out(rate: float) -> int:
        try:
            return agents_needed(rate, wanted)
        except ValueError:
            return MOST_AGENTS

    assert agents_at(rates, wanted) == [worked_out(rate) for rate in rates]


def test_hours_of_more_than_eight_weeks_ago_are_forgotten() -> None:
    random = np.random.default_rng(11)
    history = [
        {} if random.random() < 0.2 else {"all=tickets": int(random.integers(1, 9)), f"team={at // 700}": 1}
        for at in range(2_000)
    ]
    going_on, anew = RecentHours(), RecentHours()
    for at, some in enumerate(history):
        going_on.add(START + at * HOUR, some)
        if at >= 2_000 - 8 * 168:
            anew.add(START + at * HOUR, some)
    assert going_on.forecast(ServiceLevel()) == anew.forecast(ServiceLevel()) != []


def test_tickets_are_as_late_as_they_are_counted() -> None:
    end = START + HOUR
    assert passed_hour(end + CountingSettings().lateness) == end
    assert passed_hour(end + CountingSettings().lateness - timedelta(seconds=10)) == START


async def test_what_is_forecast_is_the_rhythm_of_the_week_with_agents_for_it(store: Store) -> None:
    fill(store, [START + at * HOUR for at in range(28 * 24 + 1)])
    made_before(store, START + (28 * 24 - 1) * HOUR)
    await plan(planner(store), store)
    rows = store.query("SELECT hour, expected, low, high, agents, agents_at_high FROM forecasts FINAL WHERE "
                       "series = 'all=tickets' ORDER BY hour").rows  # fmt: skip
    assert len(rows) == HOURS_AHEAD
    for hour, expected, low, high, agents, at_high in rows:
        assert expected == pytest.approx(tickets(hour), rel=0.15, abs=1)
        assert low <= expected <= high
        assert agents == agents_needed(expected, ServiceLevel()) <= at_high


async def test_a_forecast_that_is_written_again_counts_once(store: Store) -> None:
    fill(store, [START + at * HOUR for at in range(8 * 24)])
    made_before(store, START + (8 * 24 - 2) * HOUR)
    await plan(planner(store), store)
    store.command("INSERT INTO forecasts SELECT * FROM forecasts")
    assert len(rows_of(store)) * 2 == store.query("SELECT count() FROM forecasts").rows[0][0]
    shown = named_queries()["forecast"].run(store)
    places = Counter((row[0], row[1]) for row in shown.rows)
    assert set(places.values()) == {1}
    assert len(places) == 2 * 24  # of all tickets and of one team; nothing was forecast for hours before


async def test_the_questions_hold_forecasts_against_what_came(store: Store) -> None:
    fill(store, [START + at * HOUR for at in range(21 * 24 + 1)])
    made_before(store, START + (21 * 24 - 1) * HOUR)
    await plan(planner(store), store)
    came = [START + at * HOUR for at in range(21 * 24 + 1, 22 * 24 + 13)]
    fill(store, came, first=21 * 24 + 1)
    await plan(planner(store), store)
    newest = START + (22 * 24 + 12) * HOUR

    answer = named_queries()["forecast"].run(store)
    shown = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    of_all = [row for row in shown if row["series"] == "all=tickets"]
    assert [row["hour"].replace(tzinfo=UTC) for row in of_all] == [newest + at * HOUR for at in range(-12, 24)]
    assert [row["came"] for row in of_all] == [tickets(newest + at * HOUR) for at in range(-12, 0)] + [None] * 24

    answer = named_queries()["forecast_errors"].run(store)
    errors = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    assert [row["series"] for row in errors] == ["all=tickets", "team=network"]
    # A day ahead: the first forecast's second day, as far as it has come.
    assert errors[0]["hours"] == 12
    assert errors[0]["tickets"] == sum(tickets(START + (22 * 24 + at) * HOUR) for at in range(12))
    assert errors[0]["error_percent"] < 20
    assert errors[0]["wanted_percent"] == 80


async def test_a_planner_that_is_told_to_stop_ends(store: Store) -> None:
    stopped = planner(store)
    stopped.stop()
    await stopped.run()
    assert store.query("SELECT count() FROM forecasts").rows == ((0,),)
