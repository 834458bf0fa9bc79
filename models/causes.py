"""What a spike is made of: the series and words that are more frequent in it than they were before.

Ranked by the signed log-likelihood ratio G^2 (Dunning 1993, *Accurate Methods for the Statistics of Surprise and
Coincidence*): unlike a ratio it does not prefer the rare, unlike a count it does not prefer the frequent.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.alerts import CausePart, SpikeCause

TOP = 5
SURE = 10.83
"""G^2 that chance exceeds once in a thousand (chi-squared, one degree of freedom)."""

_LEAST_TICKETS = 3

MOST, HARDLY_ANY = 2 / 3, 1 / 20
"""Shares of tickets: of a word that tells two spikes to be one, among theirs and among all others."""


def signed_g2(observed: float, total: float, base: float, base_total: float) -> float:
    """G^2 of `observed` of `total` against `base` of `base_total`; negative where it has become rarer.

    Counts are of tickets; a base that has never seen it counts as half a ticket, so that the new is not infinite.
    """
    base, base_total = max(base, 0.5), max(base_total, 1.0)
    if total <= 0:
        return 0.0
    both, everything = observed + base, total + base_total
    cells = (
        (observed, total * both / everything),
        (total - observed, total * (everything - both) / everything),
        (base, base_total * both / everything),
        (base_total - base, base_total * (everything - both) / everything),
    )
    value = 2 * sum(count * math.log(count / expected) for count, expected in cells if count > 0 and expected > 0)
    return math.copysign(max(value, 0.0), observed / total - base / base_total)


def rank_children(observed: Mapping[str, float], expected: Mapping[str, float]) -> tuple[CausePart, ...]:
    """The child series that grew the most against what their baselines expect over the same time, best first.

    Each is judged alone, 2 (O ln(O / E) - O + E): what a Poisson count deviates by.
    """
    parts: list[CausePart] = []
    for series, count in observed.items():
        mean = max(expected.get(series, 0.0), 0.05)
        value = 2 * (count * math.log(count / mean) - count + mean) if count > 0 else 0.0
        if count > mean and value >= SURE and count >= _LEAST_TICKETS:
            parts.append(CausePart(text=series, observed=count, expected=mean, g2=value))
    return tuple(sorted(parts, key=lambda part: (-part.g2, part.text))[:TOP])


def have_a_word_in_common(
    left: Collection[SeenTicket], right: Collection[SeenTicket], usual: TermBaseline, *, at: datetime
) -> bool:
    """Whether most tickets of each of two spikes hold a term that hardly any usual ticket holds.

    Two spikes that begin together, and are told by a word that is new in both, are one outage of two teams' tickets.
    """
    if min(len(left), len(right)) < _LEAST_TICKETS:
        return False
    of_left, of_right = (Counter(term for ticket in some for term in ticket.terms) for some in (left, right))
    expected = HARDLY_ANY * usual.tickets(at)
    few = max(1.0, expected + 2 * math.sqrt(expected))  # a few more among a few tickets may be chance
    return any(
        count >= MOST * len(left) and of_right[term] >= MOST * len(right) and usual.count(term, at) <= few
        for term, count in of_left.items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTicket:
    """What is kept of a ticket for a while. `terms` are its words and phrases, folded, each once."""

    ticket_id: str
    occurred_at: datetime
    requester: str
    terms: frozenset[str]


class TermBaseline:
    """In how many tickets each term was seen, fading: a count-min sketch (Cormode and Muthukrishnan 2005).

    Memory is fixed: `rows` x `width` floats, 1 MiB as it is by default. An answer is never too low, and too high by
    more than 2.72 / width of all terms only once in 54 (e^-rows). Updates are conservative (Estan and Varghese 2002).
    """

    def __init__(self, *, width: int = 1 << 16, rows: int = 4, half_life: timedelta = timedelta(days=7)) -> None:
        self._table: NDArray[np.float32] = np.zeros((rows, width), dtype=np.float32)
        self._half_life_s = half_life.total_seconds()
        self._tickets = 0.0
        self._scale_at = 0.0
        """Counts are kept as if at this moment, so that fading costs nothing: newer tickets weigh more."""

    def learn(self, ticket: SeenTicket) -> None:
        """Count the terms of a ticket."""
        at = ticket.occurred_at.timestamp()
        if not self._tickets:
            self._scale_at = at
        weight = 2.0 ** ((at - self._scale_at) / self._half_life_s)
        if weight > 1e6:  # noqa: PLR2004  long before a 32-bit float is full
            self._table /= weight
            self._tickets /= weight
            self._scale_at, weight = at, 1.0
        self._tickets += weight
        rows = np.arange(len(self._table))
        for term in ticket.terms:
            cells = self._cells(term)
            known = self._table[rows, cells]
            self._table[rows, cells] = np.maximum(known, known.min() + weight)

    def tickets(self, at: datetime) -> float:
        """How many tickets the baseline is worth at a moment."""
        return self._tickets * self._fade(at)

    def count(self, term: str, at: datetime) -> float:
        """In how many of them a term was seen."""
        rows = np.arange(len(self._table))
        return float(self._table[rows, self._cells(term)].min()) * self._fade(at)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """The whole state as arrays."""
        return {"table": self._table.copy(), "totals": np.array([self._tickets, self._scale_at])}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a snapshot. Raises ValueError where it is of another size."""
        if state["table"].shape != self._table.shape:
            raise ValueError("the snapshot is of a sketch of another size")
        self._table = state["table"].astype(np.float32, copy=True)
        self._tickets, self._scale_at = (float(value) for value in state["totals"])

    def _fade(self, at: datetime) -> float:
        return 2.0 ** ((self._scale_at - at.timestamp()) / self._half_life_s)

    def _cells(self, term: str) -> NDArray[np.int64]:
        raw = term.encode()
        first, second = zlib.crc32(raw), zlib.adler32(raw, zlib.crc32(raw[::-1]))
        # Two hashes make all of them (Kirsch and Mitzenmacher 2006).
        steps = [(first + row * (second | 1)) % self._table.shape[1] for row in range(len(self._table))]
        return np.array(steps, dtype=np.int64)


class RecentTickets:
    """The tickets of one series over the last hour, at most so many of them: what a spike's cause is read from."""

    def __init__(self, *, keep: timedelta = timedelta(hours=1), most: int = 500) -> None:
        self._keep = keep
        self._tickets: deque[SeenTicket] = deque(maxlen=most)

    def add(self, ticket: SeenTicket) -> list[SeenTicket]:
        """Keep a ticket; gives those that are now too old, which may go to the baseline."""
        self._tickets.append(ticket)
        gone: list[SeenTicket] = []
        while self._tickets and self._tickets[0].occurred_at < ticket.occurred_at - self._keep:
            gone.append(self._tickets.popleft())
        return gone

    def since(self, onset: datetime) -> list[SeenTicket]:
        """The tickets from `onset` on, oldest first."""
        found = [ticket for ticket in self._tickets if ticket.occurred_at >= onset]
        return sorted(found, key=lambda ticket: (ticket.occurred_at, ticket.ticket_id))


def explain(
    tickets: Collection[SeenTicket],
    baseline: TermBaseline,
    children: Iterable[CausePart] = (),
    *,
    at: datetime,
    examples: int = 5,
) -> SpikeCause:
    """The cause of a spike from the tickets since its onset, the oldest first.

    Examples are the tickets that hold the most of what sets the spike apart.
    """
    seen = Counter(term for ticket in tickets for term in ticket.terms)
    total, base_total = len(tickets), baseline.tickets(at)
    parts: list[CausePart] = []
    for term, count in seen.items():
        if count < _LEAST_TICKETS:
            continue
        base = baseline.count(term, at)
        value = signed_g2(count, total, base, base_total)
        if value >= SURE:
            expected = total * base / max(base_total, 1.0)
            parts.append(CausePart(text=term, observed=float(count), expected=expected, g2=value))
    terms = tuple(sorted(parts, key=lambda part: (-part.g2, part.text))[:TOP])
    weight = {part.text: part.g2 for part in terms}
    telling = sorted(
        enumerate(tickets), key=lambda item: (-sum(weight.get(term, 0.0) for term in item[1].terms), item[0])
    )
    first = min(tickets, key=lambda ticket: (ticket.occurred_at, ticket.ticket_id), default=None)
    return SpikeCause(
        children=tuple(children),
        terms=terms,
        examples=tuple(ticket.ticket_id for _, ticket in telling[:examples]),
        first_ticket=None if first is None else first.ticket_id,
        requesters=len({ticket.requester for ticket in tickets if ticket.requester}),
    )
