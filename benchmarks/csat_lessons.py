"""Whether it does good or harm to the sentiment to learn weakly from ratings of the help (CSAT).

    python3 dev.py setup && .venv/bin/python benchmarks/csat_lessons.py ../shared/data/sb10k.jsonl

Each text is judged as a decision would, by the lexicon and what was learned so far. Part of the wrong judgements is
corrected. A rating comes for a share of the others: with a given chance it agrees with the text's label (1 for
negative, 5 for positive, something between for neutral), and is otherwise one of the others. 1 and 5 teach weakly.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import mean
from typing import NamedTuple

from audited_calibration import event_of, lesson_on, taxonomy_of

from models.decide import Models, decide, starting_models
from models.learned import Learned
from models.quality import Outcome, quality
from models.sentiment import LABELS
from models.sets import with_lessons
from schemas.decisions import LogPosition

SCORES = {"negative": 1, "neutral": 3, "positive": 5}
TAUGHT = {1: "negative", 5: "positive"}
SEEDS = (1, 2, 3)


class Figures(NamedTuple):
    """Of the last half of the texts."""

    accuracy: float
    macro_f1: float
    ece: float
    weak: float
    wrong: float


def run(
    rows: list[tuple[str, str]], models: Models, *, corrected: float, rated: float, agrees: float, seed: int
) -> Figures:
    """Judge and learn `rows`, in order."""
    random, learned = Random(seed), Learned()  # noqa: S311  no secrets
    outcomes: list[Outcome] = []
    weak = wrong = 0
    for number, (text, truth) in enumerate(rows):
        place = LogPosition(topic="tickets.events.v1", partition=0, offset=number)
        event = event_of(number, text)
        said = decide(event, place, with_lessons(models, learned, number)).sentiment
        outcomes.append(Outcome(truth, said.label, said.probability))
        is_corrected, is_rated, is_agreed = (random.random() < chance for chance in (corrected, rated, agrees))
        felt = truth if is_agreed else random.choice([label for label in LABELS if label != truth])
        lesson = lesson_on(event, place, "sentiment", truth)
        if said.label != truth and is_corrected:
            learned.learn(lesson)
        elif is_rated and (label := TAUGHT.get(SCORES[felt])) is not None:
            weak, wrong = weak + 1, wrong + (label != truth)
            learned.learn(replace(lesson, label=label, weak=True))
    found = quality(outcomes[len(outcomes) // 2 :])
    return Figures(found.accuracy, found.macro_f1, found.ece, weak, wrong)


def main() -> None:
    """Print the figures of a file, with ratings that teach and without."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=int, default=2_000)
    parser.add_argument("--agrees", type=float, default=0.7)
    parser.add_argument("--rated", type=float, default=0.3)
    given = parser.parse_args()
    with given.file.open(encoding="utf-8") as lines:
        found = [(row["text"], row["label"]) for row in map(json.loads, lines)]
    found = [(text, label) for text, label in found if label in LABELS]
    models = starting_models(taxonomy_of(["any"], 0.0))
    print("corrected  ratings teach  accuracy  macro-F1    ECE  weak lessons  of them wrong")
    for corrected in (0.0, 0.1, 0.4):
        for rated in (0.0, given.rated):
            figures: list[Figures] = []
            for seed in SEEDS:
                Random(seed).shuffle(rows := list(found))  # noqa: S311  as above
                shares = {"corrected": corrected, "rated": rated, "agrees": given.agrees}
                figures.append(run(rows[: given.limit], models, **shares, seed=seed))
            accuracy, f1, ece, weak, wrong = (mean(column) for column in zip(*figures, strict=True))
            shown = "yes" if rated else "no"
            print(
                f"{corrected:9.0%}  {shown:13}  {accuracy:8.3f}  {f1:8.3f}  {ece:5.3f}  {weak:12.0f}  {wrong:13.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
