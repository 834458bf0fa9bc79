"""Forecasts in the store: made once for each hour of event time, and held against what came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from examples import position

from models.forecast import HOUR
from models.staffing import ServiceLevel, agents_needed
from schemas import topics
from schemas.counts import BucketCounts
from sinks.archive import Archive
from sinks.forecasts import due
from sinks.queries import named_queries
from sinks.rows import counts_row
from sinks.store import Store
from streams.planning import HOURS_AHEAD, Planner

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
NOW = datetime.now(UTC)


def tickets(hour: datetime) -> int:
    return 40 if 8 <= hour.hour < 18 and hour.weekday() < 5 else 4


def fill(store: Store, hours: Iterable[datetime], first: int = 0) -> None:
    """One bucket an hour, at its 30th minute; a third of the tickets are the network team's."""
    rows = [
        counts_row(
            BucketCounts(
                partition=0,
                bucket=hour + timedelta(minutes=30),
                through=number,
                counts={"all=tickets": tickets(hour), "team=network": tickets(hour) // 3, "channel=mail": 1},
            ),
            position(number, topic=topics.COUNTS.name),
        )
        for number, hour in enumerate(hours, first)
    ]
    Archive(store).write(rows, now=NOW.replace(microsecond=0))


def planner(store: Store) -> Planner:
    return Planner(store, ServiceLevel(), lambda: NOW)


async def test_an_empty_store_and_less_than_a_day_of_counts_give_no_forecast(store: Store) -> None:
    assert await planner(store).plan() == 0
    fill(store, [START + at * HOUR for at in range(24)])
    assert await planner(store).plan() == 0
    fill(store, [START + 24 * HOUR], first=24)
    assert await planner(store).plan() == 2 * HOURS_AHEAD


async def test_the_forecast_of_an_hour_is_made_once_and_the_next_hour_has_its_own(store: Store) -> None:
    fill(store, [START + at * HOUR for at in range(21 * 24 + 1)])
    made = START + 21 * 24 * HOUR
    assert due(store) == made
    assert await planner(store).plan() == 2 * HOURS_AHEAD
    assert await planner(store).plan() == 0  # as after a restart
    fill(store, [made + HOUR], first=21 * 24 + 1)
    assert await planner(store).plan() == 2 * HOURS_AHEAD
    found = store.query("SELECT made_at, count() FROM forecasts GROUP BY made_at ORDER BY made_at").rows
    assert [(at.replace(tzinfo=UTC), rows) for at, rows in found] == [(made, 96), (made + HOUR, 96)]


async def test_what_is_forecast_is_the_rhythm_of_the_week_with_agents_for_it(store: Store) -> None:
    fill(store, [START + at * HOUR for at in range(28 * 24 + 1)])
    await planner(store).plan()
    rows = store.query("SELECT hour, expected, low, high, agents, agents_at_high FROM forecasts FINAL WHERE "
                       "series = 'all=tickets' ORDER BY hour").rows  # fmt: skip
    assert len(rows) == HOURS_AHEAD
    for hour, expected, low, high, agents, at_high in rows:
        assert expected == pytest.approx(tickets(hour), rel=0.15, abs=1)
        assert low <= expected <= high
        assert agents == agents_needed(expected, ServiceLevel()) <= at_high


async def test_a_forecast_that_is_written_again_counts_once(store: Store) -> None:
    fill(store, [START + at * HOUR for at in range(8 * 24)])
    await planner(store).plan()
    columns = "series, hour, made_at, expected, low, high, coverage, agents, agents_at_high, rostered, method"
    store.command(f"INSERT INTO forecasts ({columns}, ingested_at) SELECT {columns}, ingested_at FROM forecasts")  # noqa: S608  ours
    shown = named_queries()["forecast"].run(store)
    places = Counter((row[0], row[1]) for row in shown.rows)
    assert set(places.values()) == {1}
    assert len(places) == 2 * 24  # of all tickets and of one team; nothing was forecast for hours before


async def test_the_questions_hold_forecasts_against_what_came(store: Store) -> None:
    fill(store, [START + at * HOUR for at in range(21 * 24 + 1)])
    await planner(store).plan()
    came = [START + at * HOUR for at in range(21 * 24 + 1, 22 * 24 + 13)]
    fill(store, came, first=21 * 24 + 1)
    await planner(store).plan()
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
