"""Where on a topic the records of each ticket begin and end: a SQLite file for each partition, made again from Kafka.

The offset that it was read through changes in one transaction with what was read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from schemas.errors import BadSettings

_BUSY_SECONDS = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS tickets (
    tenant TEXT NOT NULL, source TEXT NOT NULL, ticket_id TEXT NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, PRIMARY KEY (tenant, source, ticket_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tickets_by_first ON tickets (first);
CREATE TABLE IF NOT EXISTS progress (id INTEGER PRIMARY KEY CHECK (id = 0), next INTEGER NOT NULL);
INSERT OR IGNORE INTO progress VALUES (0, 0);
"""


class Ticket(NamedTuple):
    """What names a ticket."""

    tenant: str
    source: str
    ticket_id: str


class Originals:
    """The index of one partition. Raises BadSettings where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._open(path)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:  # damaged: all that it holds is in Kafka, too
                path.unlink()
                self._open(path)
        except (OSError, sqlite3.Error) as error:
            raise BadSettings(f"{path} cannot be used: {error}; name another folder with TRIAGE_DATA_DIR") from error

    def _open(self, path: Path) -> None:
        # Transactions are our own, and a worker of the same folder may look in during a rebalance.
        self._file = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")  # what a power cut takes is read again
            columns = {row[1] for row in self._file.execute("PRAGMA table_info(tickets)")}
            if columns and "last" not in columns:  # of an earlier release: it is made again
                self._file.executescript("DROP TABLE tickets; DROP TABLE progress;")
            self._file.executescript(_SCHEMA)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def next(self) -> int:
        """The offset to read on from."""
        return int(self._file.execute("SELECT next FROM progress").fetchone()[0])

    def add(self, found: Iterable[tuple[Ticket, int]], through: int) -> None:
        """Note where tickets were met, up to and with offset `through`: the first and the last place of each stay."""
        with closing(self._file.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                cursor.executemany(
                    "INSERT INTO tickets VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)",
                    ((*ticket, offset, offset) for ticket, offset in found),
                )
                cursor.execute("UPDATE progress SET next = max(next, ?)", (through + 1,))
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def find(self, ticket: Ticket) -> int | None:
        """The offset of the first record of `ticket`; None where it is not known."""
        found = self.span(ticket)
        return None if found is None else found[0]

    def span(self, ticket: Ticket) -> tuple[int, int] | None:
        """The offsets of the first and the last record of `ticket`; None where it is not known."""
        row = self._file.execute(
            "SELECT first, last FROM tickets WHERE tenant = ? AND source = ? AND ticket_id = ?", ticket
        ).fetchone()
        return None if row is None else (int(row[0]), int(row[1]))

    def forget_before(self, offset: int) -> None:
        """Forget tickets whose first record Kafka no longer keeps."""
        self._file.execute("DELETE FROM tickets WHERE first < ?", (offset,))

    def start_again(self) -> None:
        """Forget everything: it was read from another log."""
        with closing(self._file.cursor()) as cursor:
            cursor.executescript("BEGIN; DELETE FROM tickets; UPDATE progress SET next = 0; COMMIT;")
