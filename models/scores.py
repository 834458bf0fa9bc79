"""From scores to a judgement: softmax, the top three, the strongest reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.decisions import CALIBRATED, Candidate, Judgement, Reason

TOP = 3
REASONS = 5

_LEAST, _AHEAD = 1e-9, 1e-6


def softmax(scores: Mapping[str, float]) -> dict[str, float]:
    """Probabilities from log odds in nats; the order of labels is kept."""
    highest = max(scores.values())
    odds = {label: math.exp(score - highest) for label, score in scores.items()}
    total = sum(odds.values())
    return {label: value / total for label, value in odds.items()}


def rounded(value: float) -> float:
    """`value` to six digits after the point: the last ones differ between machines, and a decision may not."""
    return round(value, 6)


def judge(probabilities: Mapping[str, float], reasons: Iterable[Reason] = ()) -> Judgement:
    """The judgement for the most probable label; equal ones keep the order of the mapping."""
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])[:TOP]
    strongest = sorted(reasons, key=lambda reason: -abs(reason.weight))[:REASONS]
    return Judgement(
        label=ranked[0][0],
        probability=rounded(ranked[0][1]),
        top=tuple(Candidate(label=label, probability=rounded(probability)) for label, probability in ranked),
        reasons=tuple(Reason(text=reason.text, weight=rounded(reason.weight)) for reason in strongest),
    )


@dataclass(frozen=True, slots=True)
class Curve:
    """From a head's own log odds of what it says to those that audits bear out: `scale` * log odds + `shift`, in nats.

    As in Platt 1999, *Probabilistic Outputs for Support Vector Machines*. It is fitted to the outcomes of `audits`.
    """

    scale: float
    shift: float
    audits: int


def log_odds(probability: float) -> float:
    """In nats; finite for 0 and 1, too."""
    probability = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(probability / (1 - probability))


def probability_of(odds: float) -> float:
    """The probability whose log odds are these."""
    return 1 / (1 + math.exp(-odds)) if odds > 0 else math.exp(odds) / (1 + math.exp(odds))


def calibrated(probabilities: Mapping[str, float], curve: Curve) -> tuple[dict[str, float], float]:
    """`probabilities` of which the highest is as `curve` has it, and by how many nats that moved its log odds.

    The others share the rest as they did. The highest stays the highest: audits say how often it is right, and not what
    would be right instead.
    """
    best = max(probabilities, key=probabilities.__getitem__)
    was = probabilities[best]
    rest = sum(value for label, value in probabilities.items() if label != best)
    if not rest:
        return dict(probabilities), 0.0
    second = max(value for label, value in probabilities.items() if label != best)
    becomes = max(
        probability_of(curve.scale * log_odds(was) + curve.shift),
        second / (rest + second) + _AHEAD,  # what it has where the second is equal to it
    )
    # `value / rest` first: one over a rest that is nearly nothing is infinite.
    moved = {
        label: becomes if label == best else value / rest * (1 - becomes) for label, value in probabilities.items()
    }
    return moved, log_odds(becomes) - log_odds(was)


def own_log_odds(judgement: Judgement) -> float:
    """The log odds of what a head said before audits calibrated them."""
    moved = sum(reason.weight for reason in judgement.reasons if reason.text == CALIBRATED)
    return log_odds(judgement.probability) - moved


def set_by_a_person(label: str, how: str = "set by a person") -> Judgement:
    """The judgement on a field that a person has set; `how` is the reason."""
    return Judgement(
        label=label,
        probability=1.0,
        top=(Candidate(label=label, probability=1.0),),
        reasons=(Reason(text=how, weight=0.0),),
        human=True,
    )
