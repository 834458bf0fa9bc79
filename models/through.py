"""State that carries the offsets that it was computed through, so that a record delivered again changes nothing.

Whatever accumulates is kept in this form: the values of Faust tables, which after a crash hold the effect of records
that are handed out again. Counts that several partitions add to are kept apart by their source instead, and replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar, cast

from schemas.decisions import LogPosition

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Through(Generic[S]):
    """`state`, and for each source (`topic:partition`) the offset that it holds the effect of, and of all before it.

    It holds for sources whose records come in the order of their offsets, from a place at or before the last one taken.
    """

    state: S
    offsets: Mapping[str, int] = field(default_factory=dict[str, int])

    def has(self, position: LogPosition) -> bool:
        """Whether the state holds the effect of the record at `position`."""
        return position.offset <= self.offsets.get(_source(position), -1)

    def take(self, position: LogPosition, fold: Callable[[S], S]) -> Through[S]:
        """The state with the record at `position` folded in, once: `fold` gives the next state from the last."""
        if self.has(position):
            return self
        return Through(fold(self.state), {**self.offsets, _source(position): position.offset})

    def as_value(self) -> dict[str, Any]:
        """For a table: JSON where the state is."""
        return {"state": self.state, "through": dict(self.offsets)}

    @classmethod
    def of_value(cls, value: Mapping[str, Any] | None, start: S) -> Self:
        """A table's value read back; `start` where the table has none."""
        if not value:
            return cls(start)
        return cls(cast("S", value["state"]), dict(value["through"]))


def _source(position: LogPosition) -> str:
    return f"{position.topic}:{position.partition}"
