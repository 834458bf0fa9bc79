"""Numbered, checksummed, repeatable migrations: `sinks/sql/migrations/NNNN_name.sql`.

ClickHouse has no transactions over DDL, so every statement is written to be harmless when run again, and a file
is recorded once all of its statements have run.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from schemas.errors import MigrationChanged
from sinks.store import Store

_FILE_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations
(
    version     UInt16,
    name        String,
    checksum    FixedString(64),
    applied_at  DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file; `checksum` is the SHA-256 of its text in hex."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """What the ledger holds of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """The statements, each ended by a semicolon at the end of a line; comment lines are left out."""
        lines = [line for line in self.text.splitlines() if not line.startswith("--")]
        return [part.strip() for part in re.split(r";\s*(?:\n|$)", "\n".join(lines)) if part.strip()]


@cache
def packaged_migrations() -> tuple[Migration, ...]:
    """The migrations of this version, by number."""
    found: list[Migration] = []
    for file in resources.files("sinks").joinpath("sql/migrations").iterdir():
        if match := _FILE_NAME.fullmatch(file.name):
            text = file.read_text(encoding="utf-8")
            found.append(Migration(version=int(match["version"]), name=match["name"], text=text))
    return tuple(sorted(found, key=lambda migration: migration.version))


def migrate(store: Store, migrations: tuple[Migration, ...] | None = None) -> list[Migration]:
    """Bring the store up to date; gives what was applied now.

    Raises MigrationChanged where an applied file has another text today.
    """
    store.create_database()
    store.command(_LEDGER)
    applied: dict[int, str] = dict(store.query("SELECT version, toString(checksum) FROM schema_migrations FINAL").rows)
    now: list[Migration] = []
    for migration in packaged_migrations() if migrations is None else migrations:
        recorded = applied.get(migration.version)
        if recorded is None:
            for statement in migration.statements:
                store.command(statement)
            row = (migration.version, migration.name, migration.checksum)
            store.insert("schema_migrations", ("version", "name", "checksum"), [row])
            now.append(migration)
        elif recorded != migration.checksum:
            raise MigrationChanged(
                f"migration {migration.version:04}_{migration.name} was applied with another text "
                f"(SHA-256 {recorded[:12]}..., now {migration.checksum[:12]}...). Put the old text back and make the "
                "change in a new migration"
            )
    return now
