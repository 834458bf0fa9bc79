"""Rows into the store once each, however often they are delivered.

The store itself knows how far it is: the highest source offset per table and source partition. What is at or below
it has been written. That holds because rows of one source partition arrive in the order of their offsets, one
process at a time writes a partition (`sinks.claims`), and one insert is all or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from schemas.decisions import LogPosition
from schemas.errors import StoreAheadOfLog, TriageError
from sinks.claims import Claims
from sinks.rows import Row, as_columns
from sinks.store import MOST_ROWS, Store

TABLES = ("ticket_events", "ticket_decisions", "feedback", "dead_letters", "bucket_counts", "alerts")

REPEATED_WITHIN = 20_000
"""Offsets of a partition within which an event that its source sent again is stored as one decision."""

Mark = tuple[str, str, int]
"""Table, source topic, source partition."""


class Archive:
    """Writes rows to the store, leaving out those that it holds. Blocks; use from one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._claims = Claims(store)
        self._high_water: dict[Mark, int] | None = None
        self._recent: dict[tuple[str, int], dict[str, int]] = {}

    def forget(self) -> None:
        """Ask the store anew before the next write: after a rebalance, or when it is unknown what was written."""
        self._high_water = None
        self._recent.clear()
        self._claims.forget()

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

        Of decisions with one id (their event was sent again) the first is kept, within REPEATED_WITHIN.

        Raises StoreUnavailable or StoreRejected; after either, the next write asks the store what has arrived.
        """
        written = 0
        for table in dict.fromkeys(row.table for row in rows):
            of_table = [row for row in rows if row.table == table]
            if self._claims.take(table, {row.position.partition for row in of_table}):
                self._high_water = None  # an earlier writer may have written until now
                self._recent.clear()
            fresh = self._fresh(of_table)
            for start in range(0, len(fresh), MOST_ROWS):
                part = fresh[start : start + MOST_ROWS]
                columns, values = as_columns(part, ingested_at=now)
                partitions = {row.position.partition for row in part}
                condition = self._claims.condition(table, partitions)
                try:
                    self._store.insert(table, columns, values, only_if=condition, partitions=partitions)
                except TriageError:
                    self.forget()
                    raise
                reached = self.high_water()
                for row in part:
                    mark = (table, row.position.topic, row.position.partition)
                    reached[mark] = max(reached.get(mark, -1), row.position.offset)
                written += len(part)
        return written

    def _fresh(self, rows: Sequence[Row]) -> list[Row]:
        """Those of `rows`, all of one table, that the store does not hold."""
        late = self._stored([row for row in rows if row.late])
        reached = dict(self.high_water())
        fresh: list[Row] = []
        for row in rows:
            mark = (row.table, row.position.topic, row.position.partition)
            offset = row.position.offset
            if row.late and offset <= reached.get(mark, -1):
                if row.position not in late:
                    late.add(row.position)
                    fresh.append(row)
            elif offset > reached.get(mark, -1):
                reached[mark] = offset
                if not self._is_repeated(row):
                    fresh.append(row)
        return fresh

    def _stored(self, rows: Sequence[Row]) -> set[LogPosition]:
        """The positions of those of `rows`, all of one table, that the store holds."""
        stored: set[LogPosition] = set()
        for topic, partition in {(row.position.topic, row.position.partition) for row in rows}:
            offsets = [row.position.offset for row in rows if row.position.partition == partition]
            found = self._store.query(
                f"SELECT src_offset FROM {rows[0].table} WHERE src_topic = {{topic:String}} "  # noqa: S608  our own name
                "AND src_partition = {partition:UInt16} AND src_offset IN {offsets:Array(Int64)}",
                {"topic": topic, "partition": partition, "offsets": offsets},
            )
            stored |= {LogPosition(topic=topic, partition=partition, offset=offset) for (offset,) in found.rows}
        return stored

    def _is_repeated(self, row: Row) -> bool:
        """Whether `row` is the decision on an event that its source has sent again, soon after."""
        if row.table != "ticket_decisions":
            return False
        topic, partition, offset = row.position.topic, row.position.partition, row.position.offset
        if (topic, partition) not in self._recent:
            found = self._store.query(
                "SELECT decision_id, src_offset FROM ticket_decisions WHERE src_topic = {topic:String} "
                "AND src_partition = {partition:UInt16} AND src_offset >= {first:Int64} ORDER BY src_offset",
                {"topic": topic, "partition": partition, "first": offset - REPEATED_WITHIN},
            )
            self._recent[topic, partition] = dict(found.rows)
        recent = self._recent[topic, partition]
        before = recent.get(row.values["decision_id"])
        if before is not None and offset - REPEATED_WITHIN <= before < offset:
            return True
        recent[row.values["decision_id"]] = offset
        if len(recent) > 2 * REPEATED_WITHIN:
            self._recent[topic, partition] = {
                name: place for name, place in recent.items() if place >= offset - REPEATED_WITHIN
            }
        return False
