"""What we answer: the decision on one event, and the assignment that a team's topic carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.events import EventKind

AUDITED = "drawn for an audit"
"""The reason, of weight 0, beside those of the category of a decision that goes to review as a fair sample."""


MOST_TAGS, MOST_TAG_CHARACTERS = 20, 100
"""What a decision carries on of its event's tags: an event may have any number of any length."""

CALIBRATED = "calibrated by audits"
"""The reason beside those of a judgement by how much the outcomes of audits moved its log odds, in nats."""


class Band(StrEnum):
    """How far a decision may be trusted."""

    AUTO = "auto"
    """Route without asking."""
    SUGGEST = "suggest"
    """Route to the team, which sees that it is a suggestion."""
    REVIEW = "review"
    """A person decides first: the ticket goes to the review queue with the top three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A label and its probability, 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What spoke for (positive) or against (negative) the chosen label; `weight` is in nats of log odds."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One head's answer: the label, its probability, the best three, and the signed reasons, strongest first."""

    label: str
    probability: float
    top: tuple[Candidate, ...]
    reasons: tuple[Reason, ...] = ()
    human: bool = False
    """A person set this field: the label is theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPosition:
    """Where in Kafka an event stands."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The routing decision on one ticket event.

    It is a function of the event, its place in the log and the models alone, so that the same log gives the same
    bytes again: what differs between two runs (when it was emitted, how long it took) is in the record's time
    stamp and its `triage_latency_ms` header. `team` is the proposed owner; `queue` says whose topic carries the
    assignment: the team's, or `review`.
    """

    decision_id: str
    event_id: str
    event: LogPosition
    kind: EventKind
    ticket_id: str
    source: str
    tenant: str
    channel: str
    customer_tier: str | None
    subject: str
    category: Judgement
    intent: Judgement
    priority: Judgement
    sentiment: Judgement
    sentiment_score: float
    """-1 (furious) to 1 (delighted)."""
    language: Judgement
    team: str
    queue: str
    band: Band
    models: Mapping[str, str]
    """Head to the version of the model that judged."""
    occurred_at: datetime
    incident_id: str | None = None
    """The open incident that the ticket belongs to."""
    product: str = ""
    """As the event says."""
    tags: tuple[str, ...] = ()
    """The first MOST_TAGS of the event, each once and cut off after MOST_TAG_CHARACTERS."""

    @property
    def audited(self) -> bool:
        """Whether it goes to review by lot: what people say of such decisions is a fair sample."""
        return any(reason.text == AUDITED and not reason.weight for reason in self.category.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What the receiving team needs of a decision, on that team's topic."""

    decision_id: str
    ticket_id: str
    tenant: str
    source: str
    subject: str
    queue: str
    team: str
    band: Band
    category: Judgement
    intent: str
    priority: str
    sentiment: str
    language: str
    event: LogPosition
    occurred_at: datetime
    incident_id: str | None = None
    product: str = ""
    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, decision: Decision) -> Assignment:
        """The assignment that follows from `decision`."""
        return cls(
            decision_id=decision.decision_id,
            ticket_id=decision.ticket_id,
            tenant=decision.tenant,
            source=decision.source,
            subject=decision.subject,
            queue=decision.queue,
            team=decision.team,
            band=decision.band,
            category=decision.category,
            intent=decision.intent.label,
            priority=decision.priority.label,
            sentiment=decision.sentiment.label,
            language=decision.language.label,
            event=decision.event,
            occurred_at=decision.occurred_at,
            incident_id=decision.incident_id,
            product=decision.product,
            tags=decision.tags,
        )
