"""How far the machine decides alone: thresholds that follow from costs, and decisions that are drawn for an audit."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What one decision costs, in any unit that is the same for all four. Raises ValueError where they do not fit.

    A decision that is right with probability p costs (1 - p) * `misroute` in the band auto, `check` + (1 - p) *
    `pass_on` in the band suggest, and `review` in the band review.
    """

    misroute: float
    """A wrong team gets a ticket that nobody doubts."""
    pass_on: float
    """A wrong team gets a suggestion, and passes it on."""
    check: float
    """A team looks at a suggestion, right or wrong."""
    review: float
    """A person decides first."""

    def __post_init__(self) -> None:
        if not all(math.isfinite(cost) and cost > 0 for cost in astuple(self)):
            raise ValueError("every cost is more than 0")
        if self.pass_on >= self.misroute:
            raise ValueError(f"pass_on ({self.pass_on:g}) < misroute ({self.misroute:g}) does not hold")
        if self.check >= self.review:
            raise ValueError(f"check ({self.check:g}) < review ({self.review:g}) does not hold")
        if self._suggest > self._auto:
            raise ValueError("a suggestion is the cheapest at no probability: lower check or pass_on")

    def thresholds(self) -> tuple[float, float]:
        """The least probabilities at which auto, and suggest, cost the least: by Bayes' rule of least expected cost."""
        return max(0.0, self._auto), max(0.0, self._suggest)

    @property
    def _auto(self) -> float:
        return 1 - self.check / (self.misroute - self.pass_on)

    @property
    def _suggest(self) -> float:
        return 1 - (self.review - self.check) / self.pass_on


def is_drawn(decision_id: str, share: float) -> bool:
    """Whether a decision is among the `share` (0 to 1) that is audited: the same whenever asked, and with more, too."""
    number = int.from_bytes(blake2b(f"audit\0{decision_id}".encode(), digest_size=8).digest())
    return number < share * 2**64
