"""How honest the probabilities of live decisions are: as they are, calibrated by all feedback, and by audits alone.

    python3 dev.py setup && .venv/bin/python benchmarks/audited_calibration.py ../shared/data/banking77.jsonl

Each ticket is decided as the triage agent would, with what the feedback on those before it taught. A share is drawn for
an audit, and always answered. Of the others, a wrong decision of the band `auto` is noticed with one chance, and one of
`suggest` with another; suggestions that nobody corrected are mostly resolved, right or wrong; whatever goes to review
is labelled. All is learned at once. What differs is whose outcomes calibrate: the chances are the same in each band.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from random import Random
from statistics import mean
from typing import NamedTuple

from models.decide import decide, starting_models
from models.learned import Learned
from models.quality import Outcome, quality
from models.scores import own_log_odds, probability_of
from models.sets import with_lessons
from models.taxonomy import Taxonomy, parse_taxonomy
from schemas.decisions import Band, Decision, LogPosition
from schemas.events import EventKind, TicketEvent
from schemas.lessons import AuditOutcome, Lesson

NOW = datetime(2026, 3, 2, tzinfo=UTC)
RESOLVED = 0.8
"""Chance that a suggestion that nobody corrected is resolved as it is."""
SEEDS = (1, 2, 3)


class Teacher(StrEnum):
    """Whose outcomes calibrate."""

    NOBODY = "nothing"
    SAID = "all that people say"
    ALL = "that, and resolutions"
    AUDITS = "audits alone"


class Figures(NamedTuple):
    """Of the last half of the tickets, all shares of 1; but for the last."""

    ece: float
    claimed: float
    accuracy: float
    auto: float
    wrong_of_auto: float
    claimed_wrong_of_auto: float
    outcomes: float


def taxonomy_of(labels: Iterable[str], audit: float) -> Taxonomy:
    """One team, the labels without any rule, and a share that is audited."""
    team = '[[team]]\nname = "desk"\n'
    categories = "".join(f'[[category]]\nlabel = "{label}"\nteam = "desk"\n' for label in ["other", *labels])
    priorities = "".join(f'[[priority]]\nlabel = "P{number}"\n' for number in range(1, 5))
    head = f'version = "1"\nlanguages = ["de", "en"]\n[bands]\nauto = 0.9\nsuggest = 0.6\naudit = {audit}\n'
    return parse_taxonomy(f'{head}{team}{categories}[[intent]]\nlabel = "any"\n{priorities}')


def event_of(number: int, text: str) -> TicketEvent:
    """A new ticket."""
    return TicketEvent(
        event_id=f"e-{number}",
        kind=EventKind.CREATED,
        ticket_id=str(number),
        source="file",
        subject="",
        body=text,
        occurred_at=NOW,
    )


def said_of(
    decision: Decision, truth: str, noticed_in: Mapping[Band, float], random: Random
) -> tuple[str, bool] | None:
    """The label that people leave behind, and whether nobody said it; None where nothing is heard."""
    label, noticed, resolved = decision.category.label, random.random(), random.random()
    if decision.audited or decision.band is Band.REVIEW:
        return truth, False
    if label != truth and noticed < noticed_in[decision.band]:
        return truth, False
    return (label, True) if decision.band is Band.SUGGEST and resolved < RESOLVED else None


def run(
    rows: list[tuple[str, str]], taxonomy: Taxonomy, teacher: Teacher, noticed_in: Mapping[Band, float], seed: int
) -> Figures:
    """Decide and learn `rows`, in order; `noticed_in` has the chance that a wrong decision is corrected, by band."""
    random, learned, models = Random(seed), Learned(), starting_models(taxonomy)  # noqa: S311  no secrets
    made: list[tuple[Decision, str]] = []
    outcomes = 0
    for number, (text, truth) in enumerate(rows):
        place = LogPosition(topic="tickets.events.v1", partition=0, offset=number)
        event = event_of(number, text)
        decision = decide(event, place, with_lessons(models, learned, number))
        made.append((decision, truth))
        if (heard := said_of(decision, truth, noticed_in, random)) is None:
            continue
        label, weak = heard
        said = decision.category
        outcome = AuditOutcome(
            head="category",
            label=said.label,
            probability=probability_of(own_log_odds(said)),
            right=label == said.label,
            said=not weak,
        )
        counts = {
            Teacher.NOBODY: False,
            Teacher.SAID: not weak,
            Teacher.ALL: True,
            Teacher.AUDITS: decision.audited,
        }[teacher]
        outcomes += counts
        lesson = lesson_on(event, place, "category", label)
        learned.learn(replace(lesson, weak=weak, audit=(outcome,) if counts else ()))
    return figures_of(made[len(made) // 2 :], outcomes)


def lesson_on(event: TicketEvent, place: LogPosition, head: str, label: str) -> Lesson:
    """What a person's word on the event at `place` teaches."""
    return Lesson(
        feedback_id=event.event_id,
        feedback=replace(place, topic="tickets.feedback.v1"),
        head=head,
        label=label,
        tenant=event.tenant,
        source=event.source,
        ticket_id=event.ticket_id,
        event=place,
        subject="",
        body=event.body,
        occurred_at=NOW,
    )


def figures_of(made: list[tuple[Decision, str]], outcomes: int) -> Figures:
    """The figures of these decisions and what would have been right."""
    found = quality([Outcome(truth, said.category.label, said.category.probability) for said, truth in made])
    auto = [(said, truth) for said, truth in made if said.category.probability >= 0.9]  # noqa: PLR2004  as [bands]
    return Figures(
        ece=found.ece,
        claimed=mean(said.category.probability for said, _ in made),
        accuracy=found.accuracy,
        auto=len(auto) / len(made),
        wrong_of_auto=mean([said.category.label != truth for said, truth in auto] or [0]),
        claimed_wrong_of_auto=mean([1 - said.category.probability for said, _ in auto] or [0]),
        outcomes=outcomes,
    )


def main() -> None:
    """Print the figures of a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--label", default="label")
    parser.add_argument("--labels", type=int, default=12)
    parser.add_argument("--limit", type=int, default=2_000)
    parser.add_argument("--audit", type=float, nargs="+", default=[0.02, 0.05, 0.1])
    parser.add_argument("--noticed", type=float, nargs=2, default=[0.3, 0.7], metavar=("AUTO", "SUGGEST"))
    given = parser.parse_args()
    noticed_in = dict(zip((Band.AUTO, Band.SUGGEST), given.noticed, strict=True))
    with given.file.open(encoding="utf-8") as lines:
        found = [(row["text"], row[given.label]) for row in map(json.loads, lines) if row[given.label]]
    frequent = {label for label, _ in Counter(label for _, label in found).most_common(given.labels)}
    found = [(text, re.sub(r"\W+", "_", label)) for text, label in found if label in frequent]
    labels = sorted({label for _, label in found})
    print("audited  calibrated by            ECE  claimed  right  auto  wrong of auto  claimed to be wrong  outcomes")
    for audit in given.audit:
        for teacher in Teacher:
            figures: list[Figures] = []
            for seed in SEEDS:
                Random(seed).shuffle(rows := list(found))  # noqa: S311  as above
                figures.append(run(rows[: given.limit], taxonomy_of(labels, audit), teacher, noticed_in, seed))
            ece, claimed, right, auto, wrong, said_wrong, outcomes = (mean(part) for part in zip(*figures, strict=True))
            print(
                f"{audit:7.0%}  {teacher:21}  {ece:5.3f}  {claimed:7.3f}  {right:5.3f}  {auto:4.2f}  "
                f"{wrong:13.3f}  {said_wrong:19.3f}  {outcomes:8.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
