"""How many agents a load of tickets needs: Erlang's waiting-time formula.

Erlang 1917, *Solution of some Problems in the Theory of Probabilities of Significance in Automatic Telephone
Exchanges*: Poisson arrivals, exponential handling times, one queue, nobody gives up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

MOST_AGENTS = 100_000
"""More than any team has: a load that keeps more of them busy is no load."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """`share` of tickets are to be picked up within `within`, by agents who are busy `occupancy` of their time at most.

    `handling` is the mean time that a ticket takes an agent; `shrinkage` the part of paid time that is spent on other
    things (breaks, training, illness). Raises ValueError where a number is out of its range.
    """

    share: float = 0.8
    within: timedelta = timedelta(minutes=15)
    handling: timedelta = timedelta(minutes=10)
    occupancy: float = 0.85
    shrinkage: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError("the share of tickets has to be between 0 and 1, both excluded")
        if not 0 < self.occupancy <= 1:
            raise ValueError("the occupancy has to be above 0 and at most 1")
        if not 0 <= self.shrinkage < 1:
            raise ValueError("the shrinkage has to be at least 0 and below 1")
        if self.handling <= timedelta(0) or self.within < timedelta(0):
            raise ValueError("handling takes some time, and no wait is negative")


def waiting_probability(agents: int, erlangs: float) -> float:
    """Erlang C: the probability that a ticket has to wait for one of `agents` under a load of `erlangs`."""
    if erlangs <= 0:
        return 0.0
    if agents <= erlangs:
        return 1.0
    blocked = 1.0  # Erlang B, built up agent by agent: stable where factorials overflow
    for busy in range(1, agents + 1):
        blocked = erlangs * blocked / (busy + erlangs * blocked)
    return blocked / (1 - erlangs / agents * (1 - blocked))


def answered_within(agents: int, erlangs: float, wanted: ServiceLevel) -> float:
    """The share of tickets that are picked up within `wanted.within`, 0 to 1."""
    if agents <= erlangs:
        return 1.0 if erlangs <= 0 else 0.0
    faded = math.exp(-(agents - erlangs) * (wanted.within / wanted.handling))
    return 1 - waiting_probability(agents, erlangs) * faded


def agents_needed(tickets_per_hour: float, wanted: ServiceLevel) -> int:
    """The fewest agents at work who keep the service level; 0 where no tickets come.

    Raises ValueError for a rate that is negative or beyond what any team handles.
    """
    if not 0 <= tickets_per_hour < math.inf:
        raise ValueError(f"{tickets_per_hour} tickets an hour is no rate")
    erlangs = tickets_per_hour * (wanted.handling / timedelta(hours=1))
    if not erlangs:
        return 0
    agents = max(math.floor(erlangs) + 1, math.ceil(erlangs / wanted.occupancy - 1e-9))
    if agents > MOST_AGENTS:
        raise ValueError(f"{tickets_per_hour} tickets an hour keep more than {MOST_AGENTS} agents busy")
    while answered_within(agents, erlangs, wanted) < wanted.share:
        agents += 1
    return agents


@cache
def most_tickets(agents: int, wanted: ServiceLevel) -> float:
    """The highest rate, tickets an hour, at which so many `agents` keep the service level: to the last bit."""
    low, high = 0.0, max(1.0, (agents + 1) / (wanted.handling / timedelta(hours=1)))
    while (middle := (low + high) / 2) not in {low, high}:
        low, high = (middle, high) if agents_needed(middle, wanted) <= agents else (low, middle)
    return low


def agents_rostered(agents: int, wanted: ServiceLevel) -> int:
    """How many have to be on the roster so that `agents` are at work."""
    return math.ceil(agents / (1 - wanted.shrinkage) - 1e-9)
