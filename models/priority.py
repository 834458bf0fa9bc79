"""Priority: what the text says of urgency, joined with the customer's mood and tier."""

from __future__ import annotations

from schemas.decisions import Reason

ANGER = {"P1": 0.5, "P2": 1.0}
"""Nats that a sentiment of -1 adds; milder anger adds its share, contentment nothing."""

TIER_PRIORITIES = ("P1", "P2")


def with_circumstances(
    scores: dict[str, float],
    reasons: dict[str, list[Reason]],
    *,
    sentiment_score: float,
    tier: str | None,
    tier_weight: float,
) -> tuple[dict[str, float], dict[str, list[Reason]]]:
    """Add mood and tier to the scores of the priority head (nats); the inputs stay as they are.

    `sentiment_score` is -1 to 1; `tier_weight` is what the taxonomy gives `tier`.
    """
    scores = dict(scores)
    reasons = {label: list(found) for label, found in reasons.items()}
    if sentiment_score < 0:
        for label, weight in ANGER.items():
            _add(scores, reasons, label, Reason(text="angry customer", weight=-sentiment_score * weight))
    if tier is not None and tier_weight:
        for label in TIER_PRIORITIES:
            _add(scores, reasons, label, Reason(text=f"customer tier {tier}", weight=tier_weight))
    return scores, reasons


def _add(scores: dict[str, float], reasons: dict[str, list[Reason]], label: str, reason: Reason) -> None:
    scores[label] += reason.weight
    reasons.setdefault(label, []).append(reason)
