"""An outage for the demo: once a day half an hour of tickets about one thing, among all the others."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from schemas.events import EventKind, TicketEvent

FIRST_AFTER = timedelta(hours=6)
EVERY = timedelta(days=1)
LASTS = timedelta(minutes=30)
TICKETS = 90

SETTLES = timedelta(hours=1)
"""So long after an outage its incidents are over: the longest window has left it behind, and ten quiet minutes more."""

_TEXTS = (
    ("en", "VPN gateway timeout", "Since this morning the VPN gateway times out, I cannot reach any internal system."),
    ("en", "VPN drops all the time", "The VPN connection drops every minute. The gateway does not answer."),
    ("en", "No VPN connection from home", "The VPN client says: gateway timeout. The whole team has the same problem."),
    (
        "de",
        "VPN Gateway nicht erreichbar",
        "Guten Tag, das VPN Gateway antwortet nicht, ich komme nicht ins Firmennetz.",
    ),
    ("de", "VPN bricht ständig ab", "Hallo, die VPN-Verbindung bricht jede Minute ab. Bitte dringend prüfen."),
)


def with_outages(events: Iterator[TicketEvent], *, seed: int, start: datetime) -> Iterator[TicketEvent]:
    """`events`, which begin at `start`, and the outages', by their times; the same arguments give the same events."""
    return heapq.merge(events, _outages(seed, start), key=lambda event: event.occurred_at)


def outages_over(start: datetime, at: datetime) -> int:
    """How many outages of the tickets that begin at `start` have ended by `at`."""
    return max(0, (at - start - FIRST_AFTER - LASTS) // EVERY + 1)


def is_settled(start: datetime, at: datetime) -> bool:
    """Whether `at` the newest outage of the tickets that begin at `start` has been over for a while."""
    since = at - start - FIRST_AFTER
    return since >= timedelta(0) and since % EVERY >= LASTS + SETTLES


def _outages(seed: int, start: datetime) -> Iterator[TicketEvent]:
    chance = random.Random(f"{seed} outage")  # noqa: S311  a repeatable demo, no secret
    number = 0
    while True:
        begins = start + FIRST_AFTER + number * EVERY
        offsets = sorted(chance.randrange(LASTS // timedelta(milliseconds=1)) for _ in range(TICKETS))
        for at, offset in enumerate(offsets):
            language, subject, body = chance.choice(_TEXTS)
            occurred_at = begins + timedelta(milliseconds=offset)
            name = f"outage-{begins:%Y%m%dT%H%M%S}-{at}"
            yield TicketEvent(
                event_id=name,
                kind=EventKind.CREATED,
                ticket_id=name,
                source="demo",
                tenant="demo",
                channel=chance.choice(("email", "portal", "chat")),
                requester=f"{name}@example.org",
                subject=subject,
                body=body,
                language_hint=language,
                tags=("remote-access",),
                product="VPN",
                occurred_at=occurred_at,
            )
        number += 1
