"""How sure heads may be, by what became of decisions that were drawn for an audit: a function of the outcomes.

What people say of other decisions is no fair sample: of those that were routed by themselves they notice the wrong
ones. The fit is that of Platt 1999 (*Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized
Likelihood Methods*), with a Gaussian prior, on whether what was said was right: a confirmation says no more, and a
decision carries no scores of labels beyond its best three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.scores import Curve, log_odds
from schemas.lessons import AUDITED_HEADS, AuditOutcome, Lesson

WINDOW = 200
"""The newest outcomes of a head, or of one tenant: what a curve is fitted to. Models change while they learn."""

MOST_OUTCOMES = 2_000
"""Of one head, for all tenants together: the oldest are forgotten."""

MOST_COUNTED = 50_000
"""Tickets and heads of which it is known that they had an outcome: the oldest are forgotten."""

LEAST_OF_A_TENANT = 30
"""Outcomes of one tenant from which on it has a curve of its own."""

ALL_TENANTS = ""
"""In place of a tenant: the curve of those that have none of their own."""

_IDENTITY = (1.0, 0.0)
_SPREAD = np.array([0.2, 0.5])
"""Standard deviations of the prior on scale and shift, around what holds without these outcomes. A hundred outcomes say
little of the scale: with 0.5 they made honest heads less so."""
_SCALES, _SHIFTS = (0.2, 5.0), (-3.0, 3.0)
_SUREST = 7.0
"""Nats: whoever is surer than 999 in 1,000 counts as that, so that one outcome cannot turn a curve."""
_ROUNDS, _STEP, _NEAR = 50, 0.5, 1e-10


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a head said of a ticket of `tenant`: its log odds, in nats, and whether it was right."""

    tenant: str
    odds: float
    right: bool


class AuditBook:
    """The newest outcomes of audits by head, and the curves that are fitted to them.

    A tenant with enough outcomes has a curve of its own, around that of the others' outcomes, by the same prior that
    holds theirs around the identity. Of a ticket and a head the last word counts; that nothing was changed when it was
    resolved counts where nobody had spoken.
    """

    def __init__(
        self, windows: Mapping[str, Mapping[int, _Outcome]] | None = None, counted: Iterable[int] = ()
    ) -> None:
        self._windows = {head: dict(window) for head, window in (windows or {}).items()}
        """By head: the outcomes by what names their tickets, the oldest first."""
        self._counted = dict.fromkeys(counted)
        """What names the tickets and heads that had an outcome, the oldest first."""
        self._curves: dict[str, dict[str, Curve]] = {}
        """By head and tenant, where they were asked for since its last outcome."""
        self._numbers: dict[str, Counter[str]] = {}
        """By head: the outcomes of each tenant, when its curves were first asked for."""

    def note(self, lesson: Lesson) -> None:
        """Take in the outcomes that `lesson` tells."""
        for outcome in lesson.audit:
            self._note(outcome, lesson)

    def _note(self, outcome: AuditOutcome, lesson: Lesson) -> None:
        name, window = _name(outcome.head, lesson), self._windows.setdefault(outcome.head, {})
        if name in self._counted and (not outcome.said or name not in window):
            return
        self._counted[name] = None
        if len(self._counted) > MOST_COUNTED:
            del self._counted[next(iter(self._counted))]
        odds = min(max(log_odds(outcome.probability), -_SUREST), _SUREST)
        window[name] = _Outcome(lesson.tenant, odds, outcome.right)
        own = [other for other, known in window.items() if known.tenant == lesson.tenant]
        if len(own) > WINDOW:
            del window[own[0]]
        elif len(window) > MOST_OUTCOMES:
            del window[next(iter(window))]
        self._curves.pop(outcome.head, None)

    def curves_of(self, tenant: str) -> Mapping[str, Curve]:
        """By head: the curve that holds for `tenant`. Heads without any outcome have none."""
        return {head: self._of(head, tenant) for head in self._windows}

    def table(self) -> list[tuple[str, str, Curve]]:
        """Head, tenant and curve of all curves: of each head first that of ALL_TENANTS."""
        found: list[tuple[str, str, Curve]] = []
        for head in (name for name in AUDITED_HEADS if name in self._windows):
            tenants = sorted({outcome.tenant for outcome in self._windows[head].values()})
            shared = self._of(head, ALL_TENANTS)
            own = [(head, tenant, self._of(head, tenant)) for tenant in tenants]
            found += [(head, ALL_TENANTS, shared), *(row for row in own if row[2] is not shared)]
        return found

    def clone(self) -> Self:
        """Another one that knows the same, and goes on by itself."""
        return type(self)(self._windows, self._counted)

    def to_json(self) -> Any:
        """All of it, as JSON can carry it: the same gives the same."""
        windows = {
            head: [[name, outcome.tenant, outcome.odds, outcome.right] for name, outcome in window.items()]
            for head, window in sorted(self._windows.items())
        }
        return {"windows": windows, "counted": list(self._counted)}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """What `to_json` gave. Raises KeyError, TypeError or ValueError for anything else."""
        windows = {
            str(head): {int(row[0]): _Outcome(str(row[1]), float(row[2]), bool(row[3])) for row in rows}
            for head, rows in dict(data["windows"]).items()
        }
        return cls(windows, map(int, data["counted"]))

    def _of(self, head: str, tenant: str) -> Curve:
        """The curve for `tenant`; where it has none of its own, that of ALL_TENANTS."""
        curves = self._curves.setdefault(head, {})
        if ALL_TENANTS not in curves:
            outcomes = list(self._windows[head].values())
            newest = outcomes[-WINDOW:]
            curves[ALL_TENANTS] = Curve(*_fit(newest, _IDENTITY), len(newest))
            self._numbers[head] = Counter(outcome.tenant for outcome in outcomes)
        if (number := self._numbers[head][tenant]) < LEAST_OF_A_TENANT:
            return curves[ALL_TENANTS]
        if tenant not in curves:
            outcomes = self._windows[head].values()
            own = [outcome for outcome in outcomes if outcome.tenant == tenant]
            others = [outcome for outcome in outcomes if outcome.tenant != tenant]
            curves[tenant] = Curve(*_fit(own, _fit(others[-WINDOW:], _IDENTITY)), number)
        return curves[tenant]


def _fit(outcomes: list[_Outcome], around: tuple[float, float]) -> tuple[float, float]:
    """The most likely scale and shift by `outcomes` and the prior `around` these, by Newton's method; within bounds."""
    if not outcomes:
        return around
    design = np.array([[outcome.odds, 1.0] for outcome in outcomes])
    right = np.array([outcome.right for outcome in outcomes], float)
    prior, precision = np.array(around), 1 / _SPREAD**2
    found: NDArray[np.float64] = prior.copy()
    for _ in range(_ROUNDS):
        chances = 1 / (1 + np.exp(-(design @ found)))
        slope = design.T @ (chances - right) + precision * (found - prior)
        curvature = design.T @ (design * (chances * (1 - chances))[:, None]) + np.diag(precision)
        step = np.clip(np.linalg.solve(curvature, slope), -_STEP, _STEP)
        found = found - step
        if np.abs(step).max() < _NEAR:
            break
    scale, shift = found.tolist()
    return min(max(scale, _SCALES[0]), _SCALES[1]), min(max(shift, _SHIFTS[0]), _SHIFTS[1])


def _name(head: str, lesson: Lesson) -> int:
    """64 bits that name a ticket and a head."""
    parts = (head, lesson.tenant, lesson.source, lesson.ticket_id)
    return int.from_bytes(blake2b("\0".join(parts).encode(), digest_size=8).digest(), "little")
