"""How good answers were: accuracy, macro-F1, calibration error, and how much can be left to the machine."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was true, what was said (None before anything was learned), and how surely, 0 to 1."""

    truth: Hashable
    said: Hashable | None
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelQuality:
    """One label: how often it was true and said, and how well the two meet; each share from 0 to 1."""

    label: Hashable
    tickets: int
    said: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Figures over a number of tickets; each a share from 0 to 1."""

    tickets: int
    accuracy: float
    macro_f1: float
    """The mean F1 of the labels that occur."""
    ece: float
    """Expected calibration error of the probability of what was said, over 15 bins of equal width."""
    coverage_90: float
    """The largest share of tickets, the surest first, of which 90 % are right."""
    coverage_95: float
    """The same for 95 %."""


def quality(outcomes: Sequence[Outcome]) -> Quality:
    """The figures of `outcomes`; zeros for none."""
    if not outcomes:
        return Quality(tickets=0, accuracy=0.0, macro_f1=0.0, ece=0.0, coverage_90=0.0, coverage_95=0.0)
    right = np.array([outcome.said == outcome.truth for outcome in outcomes])
    sure = np.array([outcome.probability for outcome in outcomes])
    labels = per_label(outcomes)
    return Quality(
        tickets=len(outcomes),
        accuracy=float(right.mean()),
        macro_f1=float(np.mean([label.f1 for label in labels if label.tickets])),
        ece=calibration_error(right, sure),
        coverage_90=coverage(right, sure, precision=0.9),
        coverage_95=coverage(right, sure, precision=0.95),
    )


def per_label(outcomes: Sequence[Outcome]) -> list[LabelQuality]:
    """Precision, recall and F1 of each label that is true or said somewhere, the most frequent first."""
    true: dict[Hashable, int] = {}
    said: dict[Hashable, int] = {}
    both: dict[Hashable, int] = {}
    for outcome in outcomes:
        true[outcome.truth] = true.get(outcome.truth, 0) + 1
        if outcome.said is not None:
            said[outcome.said] = said.get(outcome.said, 0) + 1
            both[outcome.said] = both.get(outcome.said, 0) + (outcome.said == outcome.truth)
    found: list[LabelQuality] = []
    for label in dict.fromkeys([*true, *said]):
        tickets, guesses, hits = true.get(label, 0), said.get(label, 0), both.get(label, 0)
        found.append(
            LabelQuality(
                label=label,
                tickets=tickets,
                said=guesses,
                precision=hits / guesses if guesses else 0.0,
                recall=hits / tickets if tickets else 0.0,
                f1=2 * hits / (tickets + guesses),
            )
        )
    return sorted(found, key=lambda label: (-label.tickets, str(label.label)))


def calibration_error(right: NDArray[np.bool_], sure: NDArray[np.float64]) -> float:
    """Expected calibration error (Naeini, Cooper and Hauskrecht 2015) over BINS bins of equal width."""
    return float(sum(abs(share - mean) * tickets for mean, share, tickets in reliability(right, sure)) / len(right))


def reliability(right: NDArray[np.bool_], sure: NDArray[np.float64]) -> list[tuple[float, float, int]]:
    """For each bin that holds any: the mean probability, the share that was right, and the number of tickets."""
    bins = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    tickets = np.bincount(bins, minlength=BINS)
    sums = np.bincount(bins, weights=sure, minlength=BINS)
    hits = np.bincount(bins, weights=right, minlength=BINS)
    return [
        (float(sums[at] / tickets[at]), float(hits[at] / tickets[at]), int(tickets[at]))
        for at in range(BINS)
        if tickets[at]
    ]


def coverage(right: NDArray[np.bool_], sure: NDArray[np.float64], *, precision: float) -> float:
    """The largest share of tickets above one threshold of probability of which `precision` are right."""
    order = np.argsort(-sure, kind="stable")
    ordered = sure[order]
    shares = np.cumsum(right[order]) / np.arange(1, len(right) + 1)
    # A threshold cannot tell apart what is equally sure.
    can_cut = np.append(ordered[1:] != ordered[:-1], True)
    enough = np.flatnonzero((shares >= precision) & can_cut)
    return float((enough[-1] + 1) / len(right)) if len(enough) else 0.0
