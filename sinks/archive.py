"""Rows into the store once each, however often they are delivered.

The store itself knows how far it is: the highest source offset per table and source partition. What is at or below
it has been written. That holds because rows of one source partition arrive in the order of their offsets, one
process at a time writes a partition, and one insert is all or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from schemas.errors import StoreAheadOfLog, TriageError
from sinks.rows import Row, as_columns
from sinks.store import MOST_ROWS, Store

TABLES = ("ticket_events", "ticket_decisions", "dead_letters")

Mark = tuple[str, str, int]
"""Table, source topic, source partition."""


class Archive:
    """Writes rows to the store, leaving out those that it holds. Blocks; use from one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._high_water: dict[Mark, int] | None = None

    def forget(self) -> None:
        """Ask the store anew before the next write: after a rebalance, or when it is unknown what was written."""
        self._high_water = None

    def high_water(self) -> dict[Mark, int]:
        """The highest offset that the store holds, per table, source topic and source partition."""
        if self._high_water is None:
            self._high_water = {
                (table, topic, partition): offset
                for table in TABLES
                for topic, partition, offset in self._store.query(
                    f"SELECT src_topic, src_partition, max(src_offset) FROM {table} "  # noqa: S608  our own names
                    "GROUP BY src_topic, src_partition"
                ).rows
            }
        return self._high_water

    def check_log(self, topic: str, partition: int, end_offset: int) -> None:
        """Raise StoreAheadOfLog where the store holds offsets of a partition beyond its log's end.

        Then the log is another one (a new cluster, a topic made anew), and to go on would leave out its records.
        """
        for (table, source, source_partition), offset in self.high_water().items():
            if (source, source_partition) == (topic, partition) and offset >= end_offset:
                raise StoreAheadOfLog(
                    f"{table} holds offset {offset} of {topic}[{partition}], whose log ends at {end_offset}: the "
                    "store was filled from another Kafka log. Give this log a store of its own "
                    "(TRIAGE_CLICKHOUSE_DATABASE or TRIAGE_DATA_DIR), or move the old tables away"
                )

    def write(self, rows: Sequence[Row], *, now: datetime) -> int:
        """Write what the store does not hold yet, in order; gives the number of rows written.

        Raises StoreUnavailable or StoreRejected; after either, the next write asks the store what has arrived.
        """
        written = 0
        for table in dict.fromkeys(row.table for row in rows):
            fresh = self._fresh([row for row in rows if row.table == table])
            for start in range(0, len(fresh), MOST_ROWS):
                part = fresh[start : start + MOST_ROWS]
                columns, values = as_columns(part, ingested_at=now)
                try:
                    self._store.insert(table, columns, values)
                except TriageError:
                    self.forget()
                    raise
                for row in part:
                    self.high_water()[table, row.position.topic, row.position.partition] = row.position.offset
                written += len(part)
        return written

    def _fresh(self, rows: Sequence[Row]) -> list[Row]:
        reached = dict(self.high_water())
        fresh: list[Row] = []
        for row in rows:
            mark = (row.table, row.position.topic, row.position.partition)
            if row.position.offset > reached.get(mark, -1):
                reached[mark] = row.position.offset
                fresh.append(row)
        return fresh
