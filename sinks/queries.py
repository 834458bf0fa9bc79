"""The named queries of analysts: `sinks/sql/queries/NAME.sql`, whose first line says what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

from sinks.store import Answer, Store

DEFAULT = "overview"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedQuery:
    """One query and its one-line description."""

    name: str
    about: str
    sql: str

    def run(self, store: Store) -> Answer:
        """Its answer. Raises StoreRejected where the tables are missing."""
        return store.query(self.sql)


@cache
def named_queries() -> dict[str, NamedQuery]:
    """The queries by name, the default first."""
    found: dict[str, NamedQuery] = {}
    for file in resources.files("sinks").joinpath("sql/queries").iterdir():
        if file.name.endswith(".sql"):
            first, _, sql = file.read_text(encoding="utf-8").partition("\n")
            name = file.name.removesuffix(".sql")
            found[name] = NamedQuery(name=name, about=first.removeprefix("--").strip(), sql=sql)
    return dict(sorted(found.items(), key=lambda item: (item[0] != DEFAULT, item[0])))
