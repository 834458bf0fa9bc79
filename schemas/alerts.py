"""What on-call is told, the life of one spike in the past tense, and what people answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from schemas.errors import InvalidEvent

LONGEST_MUTE = timedelta(days=30)
MOST_REASON_CHARACTERS = 1000
MOST_ACTOR_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeSize:
    """How large a spike is: tickets seen and tickets expected over the same time, and its highest score so far.

    `score` is in decades: 6 means that so many come by chance once in a million.
    """

    observed: float
    expected: float
    score: float

    @property
    def excess(self) -> float:
        """Tickets beyond those expected."""
        return self.observed - self.expected

    @property
    def ratio(self) -> float:
        """Tickets seen for each one expected."""
        return self.observed / max(self.expected, 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class CausePart:
    """A series or a term that is more frequent in a spike than before: tickets seen, tickets expected, signed G^2."""

    text: str
    observed: float
    expected: float
    g2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeCause:
    """What a spike is made of: child series and terms, best first, tickets to look at, and how many people ask."""

    children: tuple[CausePart, ...] = ()
    terms: tuple[CausePart, ...] = ()
    examples: tuple[str, ...] = ()
    first_ticket: str | None = None
    requesters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeOpened:
    """A series left its baseline. `onset` is where the window that told so begins, `detected_at` where it ends."""

    alert_id: str
    series: str
    onset: datetime
    detected_at: datetime
    window: timedelta
    size: SpikeSize


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeUpdated:
    """An open spike goes on; `size` counts from its onset."""

    alert_id: str
    series: str
    at: datetime
    size: SpikeSize


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeResolved:
    """A spike is over. `ended_at` is when its series was last out of the ordinary, `resolved_at` when that was sure.

    `still_open` says that the counts ended before the spike did.
    """

    alert_id: str
    series: str
    onset: datetime
    detected_at: datetime
    ended_at: datetime
    resolved_at: datetime
    size: SpikeSize
    still_open: bool = False


SpikeEvent = SpikeOpened | SpikeUpdated | SpikeResolved


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOpened:
    """The first alert of an outage opened; `team` owns it."""

    incident_id: str
    alert_id: str
    series: str
    team: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentJoined:
    """An alert of a related series turned out to be of an open incident."""

    incident_id: str
    alert_id: str
    series: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentClosed:
    """The last alert of an incident was resolved."""

    incident_id: str
    team: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSent:
    """A team was to be paged for an incident."""

    incident_id: str
    team: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHeldBack:
    """A team's budget of pages was used up, or the series is muted: the incident stands, nobody is woken for it."""

    incident_id: str
    team: str
    at: datetime
    reason: str


IncidentEvent = IncidentOpened | IncidentJoined | IncidentClosed | PageSent | PageHeldBack


class AlertKind(StrEnum):
    """What an alert is about."""

    SPIKE = "spike"
    DRIFT = "drift"
    SLA_AT_RISK = "sla_at_risk"
    CONSUMER_LAG = "consumer_lag"
    DEAD_LETTER_RATE = "dead_letter_rate"


class AlertStage(StrEnum):
    """Where an incident is in its life."""

    OPENED = "opened"
    UPDATED = "updated"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class AnswerKind(StrEnum):
    """What a person says to an incident."""

    ACKNOWLEDGED = "acknowledged"
    """It is taken: nobody else need be woken."""
    MUTED = "muted"
    """It is known: its series page nobody for a while."""
    DISMISSED = "dismissed"
    """It was noise: its series need more to open the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAnswered:
    """A person answered an incident. It stands among the counts: what it changes follows from its place there.

    `mute_ms` is how long a mute lasts from there on, in the time of the tickets; 0 for other answers. Raises
    InvalidEvent where a field is missing or out of bounds.
    """

    answer_id: str
    incident_id: str
    kind: AnswerKind
    actor: str
    reason: str = ""
    mute_ms: int = 0
    occurred_at: datetime

    def __post_init__(self) -> None:
        for name in ("answer_id", "incident_id", "actor"):
            if not getattr(self, name).strip():
                raise InvalidEvent(f"{name} is empty")
        for name, most in (("actor", MOST_ACTOR_CHARACTERS), ("reason", MOST_REASON_CHARACTERS)):
            if len(getattr(self, name)) > most:
                raise InvalidEvent(f"{name} has {len(getattr(self, name))} characters, {most} are the most")
        if self.occurred_at.tzinfo is None:
            raise InvalidEvent("occurred_at has no time zone")
        if self.kind is AnswerKind.MUTED and not 0 < self.mute_ms <= LONGEST_MUTE // timedelta(milliseconds=1):
            raise InvalidEvent(f"a mute lasts more than nothing and {LONGEST_MUTE.days} days at most")
        if self.kind is not AnswerKind.MUTED and self.mute_ms:
            raise InvalidEvent(f"{self.kind} has no end: mute_ms is for mutes")

    @property
    def key(self) -> bytes:
        """The key on the log of counts, by which it is told from counts."""
        return _ANSWER_KEY + self.answer_id.encode()


_ANSWER_KEY = b"answer|"


def is_answer(key: bytes | None) -> bool:
    """Whether a record on the log of counts is an AlertAnswered, by its key; else it is BucketCounts."""
    return key is not None and key.startswith(_ANSWER_KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAnswer:
    """An answer as it is told: whose it is, when it took effect, and of a mute how long it lasts."""

    answer_id: str
    kind: AnswerKind
    actor: str
    reason: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One word on one incident, which is the topic's key: the newest says all that is to be known of it.

    `subject` is the series, or whatever else is wrong; `team` owns it. `opened_at` is the onset, `at` the moment that
    `size` and `cause` are of. Whether to `page` is settled when it opens; `note` says why not. `answers` is what people
    said, the newest of each kind, the newest last; the stage is `acknowledged` in the word that tells of one.
    """

    incident_id: str
    kind: AlertKind
    stage: AlertStage
    subject: str
    team: str
    opened_at: datetime
    at: datetime
    size: SpikeSize
    cause: SpikeCause
    page: bool = True
    note: str = ""
    answers: tuple[AlertAnswer, ...] = ()
