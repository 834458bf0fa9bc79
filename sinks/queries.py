"""The named queries of analysts: `sinks/sql/queries/NAME.sql`, whose first line says what it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources

from sinks.store import Answer, Store

DEFAULT = "overview"

_COMPUTED_FROM = {
    "judged_figures": ("changed_answers", "judged_answers"),
    "judged_answers": ("changed_answers",),
    "changed_answers": (),
    "subject_words": (),
    "ticket_volumes": (),
    "ticket_days": ("changed_lives",),
    "ticket_stays": ("changed_lives",),
    "changed_lives": (),
}
"""The views that ClickHouse computes from time to time, each with what has to be computed before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedQuery:
    """One query and its one-line description."""

    name: str
    about: str
    sql: str

    @property
    def views(self) -> tuple[str, ...]:
        """The views behind it that are computed from time to time, in the order to compute them; often none."""
        read = [view for view in _COMPUTED_FROM if re.search(rf"\b{view}\b", self.sql)]
        return tuple(dict.fromkeys(part for view in read for part in (*_COMPUTED_FROM[view], view)))

    def refresh(self, store: Store) -> None:
        """Compute those views now, and wait for it: seconds for each million of events."""
        for view in self.views:
            store.command(f"SYSTEM REFRESH VIEW {view}")
            store.command(f"SYSTEM WAIT VIEW {view}")

    def computed_at(self, store: Store) -> datetime | None:
        """When the oldest of those views was computed, in UTC; None where it has none, or one never was."""
        found = store.query(
            "SELECT view, toUnixTimestamp(last_success_time) FROM system.view_refreshes WHERE database = {name:String}",
            {"name": store.database},
        )
        times = [seconds for view, seconds in found.rows if view in self.views]
        return datetime.fromtimestamp(min(times), UTC) if times and all(times) else None

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
