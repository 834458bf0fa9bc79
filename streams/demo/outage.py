"""An outage for the demo: once a day half an hour of tickets about one thing, among all the others."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from schemas.events import EventKind, TicketEvent
from streams.demo.generator import generate

FIRST_AFTER, AT_LATEST = 200, timedelta(hours=8)
EVERY = timedelta(days=1)
LASTS = timedelta(minutes=30)
TICKETS = 120

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


class Outages:
    """The outages among the tickets that `generate(seed=seed, start=start)` gives; the same arguments, the same ones.

    The first begins after FIRST_AFTER events, and AT_LATEST after the start: by then there is a usual to be seen
    against, by day and by night.
    """

    def __init__(self, *, seed: int, start: datetime) -> None:
        self._seed = seed
        self._start = start
        early = next(islice(generate(seed=seed, start=start), FIRST_AFTER, None)).occurred_at
        self.first = min(early, start + AT_LATEST)

    def events(self) -> Iterator[TicketEvent]:
        """All tickets and the outages' among them, by their times."""
        usual = generate(seed=self._seed, start=self._start)
        return heapq.merge(usual, self._tickets(), key=lambda event: event.occurred_at)

    def over(self, at: datetime) -> int:
        """How many have ended by `at`."""
        return max(0, (at - self.first - LASTS) // EVERY + 1)

    def is_settled(self, at: datetime) -> bool:
        """Whether the newest has been over for a while at `at`."""
        since = at - self.first
        return since >= timedelta(0) and since % EVERY >= LASTS + SETTLES

    def _tickets(self) -> Iterator[TicketEvent]:
        chance = random.Random(f"{self._seed} outage")  # noqa: S311  a repeatable demo, no secret
        number = 0
        while True:
            begins = self.first + number * EVERY
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
