"""Forecasts in the store: the hours that they are made from, and the rows that come of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sinks.store import MOST_ROWS, Store

_HOUR = timedelta(hours=1)
_LATENESS = timedelta(minutes=2)
"""How late a ticket is still counted (`models.counting.CountingSettings`)."""

_COLUMNS = (
    *("series", "hour", "made_at", "expected", "low", "high", "coverage", "agents", "agents_at_high", "rostered"),
    *("method", "ingested_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRow:
    """One hour of one series; `expected`, `low` and `high` are tickets, the others people."""

    series: str
    hour: datetime
    made_at: datetime
    expected: float
    low: float
    high: float
    coverage: float
    agents: int
    agents_at_high: int
    rostered: int
    method: str


def passed_hour(bucket: datetime) -> datetime:
    """The hour before which a partition whose newest bucket is `bucket` has no more to count."""
    return (bucket - _LATENESS).replace(minute=0, second=0, microsecond=0)


def newest_made(store: Store) -> datetime | None:
    """The hour that the newest forecast begins with; None where there is none."""
    ((made, rows),) = store.query("SELECT max(made_at), count() FROM forecasts").rows
    return made.replace(tzinfo=UTC) if rows else None


def first_counted(store: Store, since: datetime | None = None) -> datetime | None:
    """The first hour with a count, from `since` on; None where there is none."""
    found = store.query(
        "SELECT toStartOfHour(min(bucket)), count() FROM bucket_counts "
        "WHERE bucket >= toDateTime({since:Int64}, 'UTC') AND through >= 0",  # the others are marks
        {"since": 0 if since is None else int(since.timestamp())},
    )
    ((first, buckets),) = found.rows
    return first.replace(tzinfo=UTC) if buckets else None


def whole_hours(store: Store, since: datetime, partitions: int, most: int) -> dict[datetime, int]:
    """The next hours from `since` on that are whole, `most` of them; with each the offset in the log that made it so.

    There the last of the `partitions` that are counted has passed its end, by more than a ticket may be late. What
    comes of the hour behind that offset is left out, so that it follows from the log alone what an hour has.
    """
    found = store.query(
        """
        SELECT source_partition, toStartOfHour(bucket - {late:UInt32}) AS passed, min(src_offset)
        FROM bucket_counts
        WHERE bucket >= toDateTime({since:Int64}, 'UTC') + {late:UInt32}
        GROUP BY source_partition, passed
        ORDER BY passed
        """,
        {"since": int(since.timestamp()), "late": int(_LATENESS.total_seconds())},
    )
    passed: dict[int, list[tuple[datetime, int]]] = {}
    for partition, hour, offset in found.rows:
        passed.setdefault(int(partition), []).append((hour.replace(tzinfo=UTC), int(offset)))
    if len(passed) < partitions:
        return {}
    until = min(hours[-1][0] for hours in passed.values())
    ends = [since + (at + 1) * _HOUR for at in range(min(most, max(0, (until - since) // _HOUR)))]
    return {
        end - _HOUR: max(min(offset for hour, offset in hours if hour >= end) for hours in passed.values())
        for end in ends
    }


def hourly_counts(store: Store, hours: Mapping[datetime, int]) -> dict[datetime, dict[str, int]]:
    """Tickets of all, of each team and category in `hours`, as they are at their offsets; an empty hour is left out."""
    if not hours:
        return {}
    rows = store.query(
        """
        SELECT hour, item.1 AS series, sum(item.2) AS tickets
        FROM
        (
            SELECT toStartOfHour(bucket) AS hour, bucket, source_partition, argMax(counts, through) AS newest
            FROM bucket_counts
            WHERE bucket >= toDateTime({from:Int64}, 'UTC') AND bucket < toDateTime({until:Int64}, 'UTC')
                AND src_offset <=
                    transform(toInt64(toUnixTimestamp(hour)), {hours:Array(Int64)}, {offsets:Array(Int64)}, -1)
            GROUP BY hour, bucket, source_partition
        )
        ARRAY JOIN CAST(newest, 'Array(Tuple(String, UInt64))') AS item
        WHERE series = 'all=tickets' OR startsWith(series, 'team=') OR startsWith(series, 'category=')
        GROUP BY hour, series
        """,
        {
            "from": int(min(hours).timestamp()),
            "until": int((max(hours) + _HOUR).timestamp()),
            "hours": [int(hour.timestamp()) for hour in hours],
            "offsets": list(hours.values()),
        },
    ).rows
    found: dict[datetime, dict[str, int]] = {}
    for hour, series, tickets in rows:
        found.setdefault(hour.replace(tzinfo=UTC), {})[series] = int(tickets)
    return found


def write(store: Store, rows: Sequence[ForecastRow], *, now: datetime) -> None:
    """Store `rows`: one insert, all of it or nothing. Raises StoreUnavailable or StoreRejected."""
    assert len(rows) <= MOST_ROWS  # noqa: S101  so many series and hours as the caller asks for
    values = [
        (
            *(row.series, row.hour, row.made_at, row.expected, row.low, row.high, row.coverage),
            *(row.agents, row.agents_at_high, row.rostered, row.method, now),
        )
        for row in rows
    ]
    store.insert("forecasts", _COLUMNS, values)
