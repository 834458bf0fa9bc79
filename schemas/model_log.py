"""What the log says of models: which sets of them there are, and from which event on each was live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.dead_letters import Header

ACTIVATION_HEADER = "triage_models"
"""On a record without a value on the events' topic: the set of this version decides on what follows."""

BY_HEADER, REASON_HEADER, BACK_FROM_HEADER = "triage_by", "triage_reason", "triage_back_from"
"""On that record, and on the note of it: who let the set take over and why, and which set it takes back."""

MOST_SAID_CHARACTERS = 1_000

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said when a set took over. Records of earlier releases say nothing."""

    by: str = ""
    reason: str = ""
    back_from: str = ""
    """The version that this takes back; empty where it goes forward."""
    at: datetime | None = None

    @property
    def headers(self) -> list[Header]:
        """As headers; the time is the record's own."""
        named = ((BY_HEADER, self.by), (REASON_HEADER, self.reason), (BACK_FROM_HEADER, self.back_from))
        return [(name, text.encode()) for name, text in named if text]


def said_with(headers: Iterable[Header], at: datetime | None) -> Said:
    """What the `headers` of a record of the time `at` say."""
    found = {name: (text or b"").decode(errors="replace") for name, text in headers}
    return Said(
        by=found.get(BY_HEADER, ""),
        reason=found.get(REASON_HEADER, ""),
        back_from=found.get(BACK_FROM_HEADER, ""),
        at=at,
    )


def activated_version(value: bytes | None, headers: Iterable[Header]) -> str | None:
    """The version that a record on the events' topic activates; None where it is another record."""
    if value is not None:
        return None
    return next((text.decode(errors="replace") for name, text in headers if name == ACTIVATION_HEADER and text), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotPublished:
    """A snapshot of what people taught is in the snapshot store, whole, under `head` and `version`."""

    head: str
    version: str
    store: str
    """Its folder or URL."""
    sha256: str
    size_bytes: int
    format: str
    code: str
    """The version of the code that learned it: models.decide.CODE_VERSION."""
    lesson: int
    """The offset of the last lesson that it holds: what comes after it has to be learned still."""
    feedback_id: str
    """That lesson's feedback, by which another log is told apart."""

    @property
    def key(self) -> bytes:
        """The key on the topic: the same snapshot has the same; a record without a value says that it is deleted."""
        return f"{self.head}@{self.version}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowCompared:
    """How the set `challenger` does beside `live` on what people taught of `head`, up to the lesson `through`.

    Losses are means per lesson in nats, `difference` is the live set's less the challenger's. `radius` is half the
    width of the interval at 95 %, None for too few lessons; `more_needed` None where it is decided or not in sight.
    """

    live: str
    challenger: str
    head: str
    through: int
    lessons: int
    live_loss: float
    challenger_loss: float
    live_accuracy: float
    challenger_accuracy: float
    difference: float
    radius: float | None = None
    verdict: str
    more_needed: int | None = None
    proposed: bool = False
    """The challenger is proposed to a person: the interval lies above zero, and the settings say to propose."""

    @property
    def key(self) -> bytes:
        """The key on the topic: the newest comparison of two sets replaces those before it."""
        return f"{self.challenger}|{self.live}|{self.head}".encode()
