"""What sources tell us: one event in the life of a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from schemas.errors import InvalidEvent

HUMAN_FIELDS = frozenset({"category", "intent", "priority", "language", "sentiment", "team"})
"""Fields of a decision that a person may have set; such a field is never overwritten."""


MOST_EVENT_BYTES = 1_048_588
"""The most that an event's record may have: Kafka's own default for a topic. It holds before compression, too."""

MOST_CHARACTERS: Mapping[str, int] = {
    **dict.fromkeys(("event_id", "ticket_id", "source", "tenant", "channel", "customer_tier", "product"), 1_000),
    "subject": 50_000,
}
"""What a decision carries on has a length, so that a decision fits into a record whatever the event; the body has not.
"""
MOST_HUMAN_CHARACTERS = 1_000


class EventKind(StrEnum):
    """What happened to the ticket."""

    CREATED = "created"
    MESSAGE_ADDED = "message_added"
    CHANGED = "changed"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"

    @property
    def needs_decision(self) -> bool:
        """Whether somebody has to act on the ticket after this event, so that it must be routed."""
        return self not in (EventKind.RESOLVED, EventKind.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent:
    """One event of one ticket, as its source saw it.

    `source` and `event_id` together identify the event for ever; `ticket_id` is unique within `tenant` and keys
    the topic. `occurred_at` is the source's clock, in UTC, to the millisecond. `subject` is the ticket's; `body` is
    the text of this event (the new message of `message_added`). `human_set` maps a field of the decision to what a
    person chose. `product` and `tags` are the source's own words for what the ticket is about.

    Raises InvalidEvent where a rule of the event is broken.
    """

    event_id: str
    kind: EventKind
    ticket_id: str
    source: str
    tenant: str = "default"
    channel: str = "unknown"
    requester: str = ""
    subject: str = ""
    body: str = ""
    language_hint: str | None = None
    tags: tuple[str, ...] = ()
    customer_tier: str | None = None
    human_set: Mapping[str, str] = field(default_factory=dict[str, str])
    occurred_at: datetime
    product: str = ""

    def __post_init__(self) -> None:
        for name in ("event_id", "ticket_id", "source", "tenant"):
            if not getattr(self, name).strip():
                raise InvalidEvent(f"{name} is empty")
        for name, most in MOST_CHARACTERS.items():
            if (text := getattr(self, name)) and len(text) > most:
                raise InvalidEvent(f"{name} has {len(text)} characters, {most} are the most")
        if self.occurred_at.tzinfo is None:
            raise InvalidEvent("occurred_at has no time zone")
        if unknown := self.human_set.keys() - HUMAN_FIELDS:
            raise InvalidEvent(
                f"human_set names {', '.join(sorted(unknown))}; it may name {', '.join(sorted(HUMAN_FIELDS))}"
            )
        for name, value in self.human_set.items():
            if len(value) > MOST_HUMAN_CHARACTERS:
                raise InvalidEvent(
                    f"human_set.{name} has {len(value)} characters, {MOST_HUMAN_CHARACTERS} are the most"
                )
