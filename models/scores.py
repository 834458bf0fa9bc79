"""From scores to a judgement: softmax, the top three, the strongest reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from schemas.decisions import Candidate, Judgement, Reason

TOP = 3
REASONS = 5


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


def set_by_a_person(label: str, how: str = "set by a person") -> Judgement:
    """The judgement on a field that a person has set; `how` is the reason."""
    return Judgement(
        label=label,
        probability=1.0,
        top=(Candidate(label=label, probability=1.0),),
        reasons=(Reason(text=how, weight=0.0),),
        human=True,
    )
