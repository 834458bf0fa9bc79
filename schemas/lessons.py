"""What models learn from: lessons in one total order, and the record by which what they teach takes effect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from schemas.dead_letters import Header
from schemas.decisions import LogPosition
from schemas.errors import InvalidEvent

EPOCH = datetime.fromtimestamp(0, UTC)

LESSONS_HEADER = "triage_lessons"
"""On a record without a value on the events' topic: what follows is decided knowing the lessons up to this offset."""

LEARNED_HEADS = ("category", "intent", "priority", "sentiment")
"""The heads that learn."""

AUDITED_HEADS = ("category", "intent", "priority")
"""The heads whose probabilities are calibrated by audits. Nobody who audits a ticket need look at its sentiment."""

ASKED_AT_HEADER = "triage_asked_at"
"""On a lesson's record: the time of its ticket's first event, in milliseconds since 1970."""

_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOutcome:
    """Whether a decision that was drawn for an audit was right in one head. Raises InvalidEvent for another head.

    `probability` (0 to 1) of the decided `label` is the models' own, before audits calibrated it. `said` is False where
    nobody said so: the ticket was resolved, and nothing of it had been changed.
    """

    head: str
    label: str
    probability: float
    right: bool
    said: bool

    def __post_init__(self) -> None:
        if self.head not in AUDITED_HEADS:
            raise InvalidEvent(f"{self.head!r} is not audited; {', '.join(AUDITED_HEADS)} are")
        if not 0 <= self.probability <= 1:
            raise InvalidEvent(f"the probability is {self.probability:g}, not from 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """That a ticket of this text has this label, as a person said. Raises InvalidEvent for a head that does not learn.

    `feedback` is the place of what the person said: a lesson that is written twice has the same. `event` is the first
    event of the ticket, whose text it is. With `revokes` it teaches nothing, and takes back the ticket's earlier lesson
    of this feedback id: head, label and text are empty, and `event` is the place of the feedback. `team` owns the
    ticket; it is empty in lessons of releases that did not say it, and the error of the head is not watched by them.
    A `weak` one follows from what people did, without their having said so: it counts less, and not at all after
    others on the ticket. `audit` says how an audited decision on the ticket came out by this feedback; where that is
    all that follows from it, head, label and text are empty.
    """

    feedback_id: str
    feedback: LogPosition
    head: str
    label: str
    tenant: str
    source: str
    ticket_id: str
    event: LogPosition
    subject: str
    body: str
    language_hint: str | None = None
    actor: str = ""
    occurred_at: datetime
    revokes: str | None = None
    team: str = ""
    weak: bool = False
    audit: tuple[AuditOutcome, ...] = ()

    def __post_init__(self) -> None:
        if self.revokes is not None or (self.audit and not self.head and not self.label):
            return
        if self.head not in LEARNED_HEADS:
            raise InvalidEvent(f"{self.head!r} does not learn; {', '.join(LEARNED_HEADS)} do")
        if not self.label:
            raise InvalidEvent("the label is empty")

    @property
    def teaches(self) -> bool:
        """Whether a head learns a label by it."""
        return self.revokes is None and bool(self.head)

    @property
    def text(self) -> str:
        """The text that is learned: as an event's is decided on."""
        return f"{self.subject}\n{self.body}"


def activated_lessons(value: bytes | None, headers: Iterable[Header]) -> int | None:
    """The last lesson that takes effect by a record on the events' topic; None where it is another record."""
    if value is not None:
        return None
    return _number(LESSONS_HEADER, headers)


def asked_at(headers: Iterable[Header]) -> datetime | None:
    """The time of a lesson's ticket, from the headers of its record; None where an earlier release wrote it."""
    milliseconds = _number(ASKED_AT_HEADER, headers)
    try:
        return None if milliseconds is None else EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def asked_at_header(time: datetime) -> Header:
    """The header that says so; a time before 1970 counts as 1970."""
    return ASKED_AT_HEADER, b"%d" % max(0, (time - EPOCH) // timedelta(milliseconds=1))


def _number(header: str, headers: Iterable[Header]) -> int | None:
    text = next((text for name, text in headers if name == header), None)
    return int(text) if text is not None and text.isdigit() and len(text) <= _MOST_DIGITS else None
