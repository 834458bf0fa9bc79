"""How good the first decisions are, before anything has been learned, and what one costs.

    python3 dev.py setup && .venv/bin/python benchmarks/cold_start.py

The tickets are the demo's; what each is truly about is known from the generator.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from itertools import islice

from models.decide import decide, starting_models
from models.taxonomy import OTHER
from schemas.decisions import LogPosition
from schemas.events import EventKind
from streams import wiring
from streams.demo.generator import generate_labelled
from streams.settings import load_settings

TICKETS = 3_000
START = datetime(2026, 3, 2, tzinfo=UTC)
CATEGORY = {"shipping": "shipping_returns", "product": "product_question", "outage": "outage_performance"} | {
    "hr": "hr_internal"
}


def main() -> None:
    """Decide on the tickets and print what was right, per band of probability."""
    models = starting_models(wiring.load_taxonomy(load_settings()))
    labelled = generate_labelled(seed=11, start=START)
    created = list(islice((pair for pair in labelled if pair[0].kind is EventKind.CREATED), TICKETS))
    began = time.perf_counter()
    decisions = [
        decide(event, LogPosition(topic="t", partition=0, offset=at), models) for at, (event, _) in enumerate(created)
    ]
    seconds = time.perf_counter() - began
    right = [
        decision.category.label == CATEGORY.get(truth, truth)
        for decision, (_, truth) in zip(decisions, created, strict=True)
    ]
    print(f"{TICKETS:,} tickets, {seconds / TICKETS * 1e6:,.0f} us a decision")
    print(f"category right: {sum(right) / TICKETS:.1%}")
    known = [good for good, decision in zip(right, decisions, strict=True) if decision.category.label != OTHER]
    print(f"where one other than {OTHER!r} is named ({len(known) / TICKETS:.1%}): {sum(known) / len(known):.1%}")
    print("probability   tickets   right")
    bins = [int(decision.category.probability * 10) for decision in decisions]
    counts, hits = Counter(bins), Counter(place for place, good in zip(bins, right, strict=True) if good)
    for place in sorted(counts):
        share = hits[place] / counts[place]
        print(f"{place / 10:.1f} to {place / 10 + 0.1:.1f}   {counts[place]:>7,}   {share:>5.0%}")


if __name__ == "__main__":
    main()
