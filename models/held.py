"""What people set on tickets: their word stands on later events of the same ticket, too.

A pure function of the records of one partition of the events, in their order: events of one ticket share a partition.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from itertools import chain
from typing import Any, NamedTuple

from schemas.errors import BadSnapshot
from schemas.events import TicketEvent
from schemas.held import HumanWord

HOLDS_FOR = timedelta(days=21)
"""So long a word holds, by the time stamps of the log. It keeps events for 30 days: what holds can be made again."""

MOST_TICKETS = 20_000
"""Of one partition: beyond it, that of which nobody has said anything for longest makes room."""

MOST_WORDS = 24
"""Of one ticket: the newest stay."""

FORMAT = "triage.held.1"

_MS = timedelta(milliseconds=1)
_HOLDS_FOR_MS = HOLDS_FOR // _MS


class _Word(NamedTuple):
    field: str
    value: str
    feedback_id: str
    """Empty where an event itself said so."""
    at_ms: int
    revokes: str


class HeldFields:
    """The words of one partition that may hold, by ticket."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, str, str], tuple[_Word, ...]] = {}
        """By tenant, source and ticket, that of the newest word last."""

    def __len__(self) -> int:
        """Tickets of which something is known."""
        return len(self._words)

    def of(self, event: TicketEvent, at_ms: int) -> Mapping[str, str]:
        """Field to value of what people set before `event` on its ticket; `at_ms` is the event's time in the log."""
        words = self._words.get(_ticket(event))
        if words is None:
            return {}
        gone = {word.revokes for word in words if word.revokes}
        return {
            word.field: word.value
            for word in words
            if word.field and at_ms - word.at_ms <= _HOLDS_FOR_MS and word.feedback_id not in gone
        }

    def take(self, said: TicketEvent | HumanWord, at_ms: int) -> None:
        """Note what an event or a word, which stands in the log with the time `at_ms`, says that a person set."""
        if isinstance(said, TicketEvent):
            fresh = [_Word(field, value, "", at_ms, "") for field, value in sorted(said.human_set.items())]
            if fresh:
                self._note(said, fresh)
            return
        if all(word.feedback_id != said.feedback_id for word in self._words.get(_ticket(said), ())):
            self._note(said, [_Word(said.field, said.value, said.feedback_id, at_ms, said.revokes)])

    def to_bytes(self) -> bytes:
        """All of it: the same gives the same."""
        tickets = [[*ticket, *words] for ticket, words in self._words.items()]
        return json.dumps({"format": FORMAT, "tickets": tickets}).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> HeldFields:
        """What `to_bytes` gave. Raises BadSnapshot for damage or another format."""
        made = cls()
        try:
            found: dict[str, Any] = json.loads(data)
            if found["format"] != FORMAT:
                raise BadSnapshot(f"what people set is in the format {found['format']!r}, not {FORMAT!r}")
            for tenant, source, ticket, *words in found["tickets"]:
                made._words[tenant, source, ticket] = tuple(_Word(*word) for word in words)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadSnapshot(f"what people set is damaged ({type(error).__name__})") from error
        return made

    def _note(self, about: TicketEvent | HumanWord, fresh: list[_Word]) -> None:
        ticket = _ticket(about)
        known = self._words.pop(ticket, ())
        # What an event says again needs no second word; what feedback said stays, since it can be taken back.
        again = {word.field for word in fresh if not word.feedback_id}
        stays = (word for word in known if word.feedback_id or word.field not in again)
        self._words[ticket] = tuple(chain(stays, fresh))[-MOST_WORDS:]
        if len(self._words) > MOST_TICKETS:
            del self._words[next(iter(self._words))]


def _ticket(about: TicketEvent | HumanWord) -> tuple[str, str, str]:
    return about.tenant, about.source, about.ticket_id
