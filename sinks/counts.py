"""The counts that the store has, as the log told them: longer than the log itself keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from schemas.counts import BucketCounts
from sinks.store import Store

_AT_A_TIME = 20_000


def newest_offset(store: Store) -> int | None:
    """The offset in the log of counts of the newest record that the store has; None where it has none."""
    ((newest, rows),) = store.query("SELECT max(src_offset), count() FROM bucket_counts").rows
    return int(newest) if rows else None


def newest_bucket(store: Store, before: int) -> datetime | None:
    """The newest bucket among the records before an offset of the log of counts; None where there is no record."""
    found = store.query(
        "SELECT max(bucket), count() FROM bucket_counts WHERE src_offset < {before:Int64}", {"before": before}
    )
    ((newest, rows),) = found.rows
    return newest.replace(tzinfo=UTC) if rows else None


def counts_before(store: Store, before: int, since: datetime) -> Iterator[tuple[int, BucketCounts]]:
    """The records before an offset of the log of counts, of buckets from `since` on, in the order of the log.

    They carry no tickets, which the store does not keep here, and of marks one an hour.
    """
    last = -1
    while True:
        rows = store.query(
            """
            SELECT src_offset, source_partition, bucket, through, counts
            FROM bucket_counts
            WHERE src_offset > {last:Int64} AND src_offset < {before:Int64}
                AND bucket >= toDateTime({since:Int64}, 'UTC')
            ORDER BY src_offset
            LIMIT {most:UInt32}
            """,
            {"last": last, "before": before, "since": int(since.timestamp()), "most": _AT_A_TIME},
        ).rows
        for offset, partition, bucket, through, counts in rows:
            last = int(offset)
            record = BucketCounts(
                partition=int(partition),
                bucket=bucket.replace(tzinfo=UTC),
                through=int(through),
                counts={str(series): int(tickets) for series, tickets in counts.items()},
            )
            yield last, record
        if len(rows) < _AT_A_TIME:
            return
