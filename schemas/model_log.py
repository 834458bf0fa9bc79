"""What the log says of models: which sets of them there are, and from which event on each was live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.dead_letters import Header

ACTIVATION_HEADER = "triage_models"
"""On a record without a value on the events' topic: the set of this version decides on what follows."""

FROM_THE_BEGINNING = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSet:
    """Models that decide together. `version` names the set for ever; the rest is what it takes to make it again."""

    version: str
    code: str
    """The version of the code that decides: models.decide.CODE_VERSION."""
    taxonomy: str
    """The text of the taxonomy, in TOML."""
    heads: Mapping[str, str]
    """Head to the version of its model, as on decisions."""
    recorded_at: datetime
    activated: bool = False
    """It has taken over once: from then on only a person lets it take over again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsActivated:
    """The set `version` decides on the events of `partition` after `offset`.

    Both are FROM_THE_BEGINNING for the first set of all, which decides on whatever stands before an activation.
    """

    version: str
    partition: int
    offset: int

    @property
    def key(self) -> bytes:
        """The key on the topic: a second writing of the same activation replaces the first."""
        return f"{self.partition}:{self.offset}".encode()


def activated_version(value: bytes | None, headers: Iterable[Header]) -> str | None:
    """The version that a record on the events' topic activates; None where it is another record."""
    if value is not None:
        return None
    return next((text.decode(errors="replace") for name, text in headers if name == ACTIVATION_HEADER and text), None)
