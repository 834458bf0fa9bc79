"""Forecasts in the store: the hours that they are made from, and the rows that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sinks.store import MOST_ROWS, Store

_WHOLE_AFTER = timedelta(minutes=10)
"""An hour counts as whole once tickets of so long after its end have come."""

_COLUMNS = (
    *("series", "hour", "made_at", "expected", "low", "high", "coverage", "agents", "agents_at_high", "rostered"),
    *("method", "ingested_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRow:
    """One hour of one series; `expected`, `low` and `high` are tickets, the others people."""

    series: str
    hour: datetime
    expected: float
    low: float
    high: float
    coverage: float
    agents: int
    agents_at_high: int
    rostered: int
    method: str


def due(store: Store) -> datetime | None:
    """The hour, in event time, that a forecast is to begin with; None where it has been made or there is no count."""
    ((newest, buckets),) = store.query("SELECT max(bucket), count() FROM bucket_counts").rows
    if not buckets:
        return None
    begins = (newest.replace(tzinfo=UTC) - _WHOLE_AFTER).replace(minute=0, second=0, microsecond=0)
    ((made, rows),) = store.query("SELECT max(made_at), count() FROM forecasts").rows
    return None if rows and made.replace(tzinfo=UTC) >= begins else begins


def hourly_counts(store: Store, until: datetime, weeks: int, most: int) -> dict[str, dict[datetime, int]]:
    """Tickets per hour before `until`, of all tickets and of the `most` largest teams and categories."""
    found = store.query(
        """
        SELECT series, groupArray((hour, tickets)), sum(tickets) AS total
        FROM
        (
            SELECT series, toStartOfHour(bucket) AS hour, sum(tickets) AS tickets
            FROM counts
            WHERE bucket >= toDateTime({from:Int64}, 'UTC') AND bucket < toDateTime({until:Int64}, 'UTC')
                AND (series = 'all=tickets' OR startsWith(series, 'team=') OR startsWith(series, 'category='))
            GROUP BY series, hour
        )
        GROUP BY series
        ORDER BY series != 'all=tickets', total DESC, series
        LIMIT {most:UInt32}
        """,
        {
            "from": int((until - timedelta(weeks=weeks)).timestamp()),
            "until": int(until.timestamp()),
            "most": most + 1,
        },
    )
    return {series: {hour.replace(tzinfo=UTC): int(count) for hour, count in hours} for series, hours, _ in found.rows}


def write(store: Store, rows: Sequence[ForecastRow], *, made_at: datetime, now: datetime) -> None:
    """Store what was forecast at `made_at`: one insert, all of it or nothing.

    Raises StoreUnavailable or StoreRejected; `due` then says whether it has arrived.
    """
    assert len(rows) <= MOST_ROWS  # noqa: S101  so many series and hours as the caller asks for
    values = [
        (
            *(row.series, row.hour, made_at, row.expected, row.low, row.high, row.coverage),
            *(row.agents, row.agents_at_high, row.rostered, row.method, now),
        )
        for row in rows
    ]
    store.insert("forecasts", _COLUMNS, values)
