"""Who may write: one process at a time for each table and Kafka partition, whatever Kafka's group believes.

A process that stood still while others took its partitions over may wake up with an insert half made. So whoever
writes claims the partition first, under a term higher than any before, and every insert is conditional on its
writer's claim being the newest: ClickHouse itself turns the late one away (a fencing token; Kleppmann 2016, *How to do
distributed locking*). An embedded store needs none of it: one process alone can have it open.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection

from schemas.errors import StoreUnavailable
from sinks.store import Store

_KILL_AFTER_SECONDS = 15.0
_GIVE_UP_AFTER_SECONDS = 45.0
_ASK_EVERY_SECONDS = 0.05


class Claims:
    """The claims of one writer. Blocks; use from one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writer = ""
        self._held: set[tuple[str, int]] = set()

    def forget(self) -> None:
        """Hold nothing any more: what is written next is claimed anew, under a name that no earlier insert has."""
        self._held.clear()
        self._writer = ""

    def take(self, table: str, partitions: Collection[int]) -> bool:
        """Claim those of `partitions` that are not held yet; gives whether there were any.

        When it returns, no insert of an earlier claim is under way, and none that comes later will write.
        """
        wanted = {partition for partition in partitions if (table, partition) not in self._held}
        if not wanted or self._store.exclusive:
            return False
        self._writer = self._writer or uuid.uuid4().hex
        left = wanted
        while left:
            # A claim that another made between the question and ours has the same term: then the greater name wins.
            terms = self._newest(table, left)
            rows = [(table, partition, terms.get(partition, (0, ""))[0] + 1, self._writer) for partition in left]
            self._store.insert("archive_claims", ("table_name", "src_partition", "term", "writer"), rows)
            newest = self._newest(table, left)
            left = {partition for partition in left if newest[partition][1] != self._writer}
        self._until_earlier_inserts_end(table, wanted)
        self._held |= {(table, partition) for partition in wanted}
        return True

    def condition(self, table: str, partitions: Collection[int]) -> str | None:
        """SQL that holds while the claims on `partitions` of `table` are the newest; None where none are needed."""
        if self._store.exclusive:
            return None
        numbers = ", ".join(map(str, sorted(partitions)))
        return (
            "(SELECT countIf(owner = "  # noqa: S608  our own names and numbers
            f"'{self._writer}') FROM (SELECT argMax(writer, (term, writer)) AS owner FROM {self._store.database}."
            f"archive_claims WHERE table_name = '{table}' AND src_partition IN ({numbers}) GROUP BY src_partition)) "
            f"= {len(partitions)}"
        )

    def _newest(self, table: str, partitions: Collection[int]) -> dict[int, tuple[int, str]]:
        answer = self._store.query(
            "SELECT src_partition, max((term, writer)) FROM archive_claims WHERE table_name = {table:String} "
            "AND src_partition IN {partitions:Array(UInt16)} GROUP BY src_partition",
            {"table": table, "partitions": sorted(partitions)},
        )
        return {partition: (term, writer) for partition, (term, writer) in answer.rows}

    def _until_earlier_inserts_end(self, table: str, partitions: Collection[int]) -> None:
        """Wait for the inserts into `partitions` whose condition was evaluated before our claim."""
        earlier = self._store.running_inserts(table, partitions)
        began = time.monotonic()
        while earlier and (earlier := earlier & self._store.running_inserts(table, partitions)):
            waited = time.monotonic() - began
            if waited > _GIVE_UP_AFTER_SECONDS:
                raise StoreUnavailable(f"an insert into {table} of an earlier writer does not end")
            if waited > _KILL_AFTER_SECONDS:
                self._store.kill(earlier)
            time.sleep(_ASK_EVERY_SECONDS)
