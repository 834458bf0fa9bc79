"""The lives of tickets as they follow from the log, in plain Python: the store is held against them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from schemas.decisions import Decision
from schemas.events import EventKind, TicketEvent

MINUTE = timedelta(minutes=1)
TARGETS: Mapping[str, tuple[timedelta, timedelta]] = {
    "P1": (15 * MINUTE, 240 * MINUTE),
    "P2": (60 * MINUTE, 480 * MINUTE),
    "P3": (240 * MINUTE, 1440 * MINUTE),
    "P4": (480 * MINUTE, 4320 * MINUTE),
}
"""Within how long tickets of a priority are to be answered and resolved, as the store has it at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What became of one ticket; None where it is not answered, not resolved, or its time is not up."""

    created_at: datetime
    priority: str
    team: str
    response: timedelta | None
    resolution: timedelta | None
    answered_in_time: bool | None
    resolved_in_time: bool | None
    reopens: int


@dataclass(slots=True)
class _Steps:
    created: list[tuple[datetime, str]] = field(default_factory=list[tuple[datetime, str]])
    messages: list[tuple[datetime, str]] = field(default_factory=list[tuple[datetime, str]])
    ends: list[datetime] = field(default_factory=list[datetime])
    reopened: set[datetime] = field(default_factory=set[datetime])
    priority: str = ""


def lives_of(events: Iterable[TicketEvent], decisions: Iterable[Decision]) -> dict[str, Life]:
    """The life of each ticket, by its id, at the newest of the events. No feedback, one tenant; nobody sets a team."""
    steps: dict[str, _Steps] = {}
    horizon = datetime.min.replace(tzinfo=UTC)
    for event in sorted(events, key=lambda one: one.occurred_at):
        known = steps.setdefault(event.ticket_id, _Steps())
        horizon = event.occurred_at
        known.priority = event.human_set.get("priority", known.priority)
        match event.kind:
            case EventKind.CREATED:
                known.created.append((event.occurred_at, event.requester))
            case EventKind.MESSAGE_ADDED:
                known.messages.append((event.occurred_at, event.requester))
            case EventKind.RESOLVED | EventKind.CLOSED:
                known.ends.append(event.occurred_at)
            case EventKind.REOPENED:
                known.reopened.add(event.occurred_at)
            case _:
                pass
    decided = {one.ticket_id: one for one in decisions if one.kind is EventKind.CREATED}
    return {ticket: _life(known, decided[ticket], horizon) for ticket, known in steps.items() if known.created}


def _life(known: _Steps, decision: Decision, horizon: datetime) -> Life:
    created_at, asker = known.created[0]
    answers = [at for at, who in known.messages if who != asker and at >= created_at]
    answers += [at for at in known.ends if at >= created_at]
    last_reopened = max(known.reopened, default=datetime.min.replace(tzinfo=UTC))
    final = [at for at in known.ends if at >= last_reopened]
    response = min(answers) - created_at if answers else None
    resolution = min(final) - created_at if final else None
    priority = known.priority or decision.priority.label
    age = horizon - created_at
    return Life(
        created_at=created_at,
        priority=priority,
        team=decision.team,
        response=response,
        resolution=resolution,
        answered_in_time=_in_time(response, age, TARGETS[priority][0]),
        resolved_in_time=_in_time(resolution, age, TARGETS[priority][1]),
        reopens=len(known.reopened),
    )


def _in_time(taken: timedelta | None, age: timedelta, allowed: timedelta) -> bool | None:
    if taken is not None:
        return taken <= allowed
    return False if age > allowed else None


def attainment(lives: Iterable[Life]) -> dict[tuple[str, str], tuple[int, float | None, float | None]]:
    """By priority and team: tickets of the last seven days that have any, percent answered and resolved in time."""
    known = list(lives)
    newest = max(one.created_at.date() for one in known)
    groups: dict[tuple[str, str], list[Life]] = {}
    for one in known:
        if one.created_at.date() > newest - timedelta(days=14):
            groups.setdefault((one.priority, one.team), []).append(one)
    recent = {
        key: [one for one in some if one.created_at.date() > newest - timedelta(days=7)] for key, some in groups.items()
    }
    return {
        key: (
            len(some),
            _percent([one.answered_in_time for one in some]),
            _percent([one.resolved_in_time for one in some]),
        )
        for key, some in recent.items()
    }


def _percent(met: list[bool | None]) -> float | None:
    known = [one for one in met if one is not None]
    return round(100 * sum(known) / len(known), 1) if known else None
