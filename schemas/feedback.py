"""What people tell us back: the truth about a ticket, later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.errors import InvalidEvent
from schemas.events import HUMAN_FIELDS

WORST_CSAT, BEST_CSAT = 1, 5


class FeedbackKind(StrEnum):
    """What kind of truth this is."""

    CORRECTION = "correction"
    """A person changed `field` to `value`."""
    REASSIGNMENT = "reassignment"
    """The ticket moved to the team `value`."""
    RESOLUTION = "resolution"
    """The ticket was resolved; `value` is the resolution code."""
    CSAT = "csat"
    """The customer rated the help: `score`, 1 to 5."""
    RETRACTION = "retraction"
    """What was said of this ticket earlier, with the feedback id `value`, is taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One thing that a person said about a ticket. Raises InvalidEvent where the kind's own fields are missing."""

    feedback_id: str
    kind: FeedbackKind
    ticket_id: str
    source: str
    tenant: str = "default"
    decision_id: str | None = None
    field: str | None = None
    value: str | None = None
    score: int | None = None
    actor: str = ""
    occurred_at: datetime

    def __post_init__(self) -> None:
        for name in ("feedback_id", "ticket_id", "source", "tenant"):
            if not getattr(self, name).strip():
                raise InvalidEvent(f"{name} is empty")
        if self.occurred_at.tzinfo is None:
            raise InvalidEvent("occurred_at has no time zone")
        match self.kind:
            case FeedbackKind.CORRECTION:
                if self.field not in HUMAN_FIELDS or not self.value:
                    raise InvalidEvent(
                        f"a correction needs a value and a field out of {', '.join(sorted(HUMAN_FIELDS))}"
                    )
            case FeedbackKind.REASSIGNMENT | FeedbackKind.RESOLUTION | FeedbackKind.RETRACTION:
                if not self.value:
                    raise InvalidEvent(f"a {self.kind} needs a value")
            case FeedbackKind.CSAT:
                if self.score is None or not WORST_CSAT <= self.score <= BEST_CSAT:
                    raise InvalidEvent(f"a csat needs a score from {WORST_CSAT} to {BEST_CSAT}")
