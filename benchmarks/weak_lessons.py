"""Whether it does good or harm to learn from suggestions that were resolved unchanged, though some of them were wrong.

    python3 dev.py setup && .venv/bin/python benchmarks/weak_lessons.py ../shared/data/banking77.jsonl --label label

Each ticket is answered by what was learned so far. A wrong answer is corrected with a given chance; of the others that
were suggestions, four of five are resolved, and teach weakly what was said, right or wrong. All is learned at once.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import mean

from audited_calibration import event_of, lesson_on

from models.learned import NEVER_TAUGHT, Learned
from schemas.decisions import LogPosition
from schemas.lessons import Lesson

AUTO, SUGGEST, RESOLVED = 0.9, 0.5, 0.8
SEEDS = (1, 2, 3)


def lesson(number: int, text: str, label: str, *, weak: bool) -> Lesson:
    """What feedback on one ticket teaches."""
    place = LogPosition(topic="tickets.events.v1", partition=0, offset=number)
    return replace(lesson_on(event_of(number, text), place, "category", label), weak=weak)


def run(rows: list[tuple[str, str]], *, corrected: float, weak: bool, seed: int) -> tuple[float, float, int, int]:
    """Accuracy of all answers and of the last fifth, weak lessons, and how many of them were wrong."""
    random, learned = Random(seed), Learned()  # noqa: S311  no secrets
    right: list[bool] = []
    taught = wrong = 0
    for number, (text, truth) in enumerate(rows):
        evidence = learned.evidence("category", learned.read(text))
        logs = {} if evidence is None else {name: log for name, log in evidence.logs.items() if name != NEVER_TAUGHT}
        said = max(logs, key=logs.__getitem__, default=None)
        sure = 0.0 if said is None or evidence is None else 2.718281828 ** logs[said]
        right.append(said == truth)
        is_corrected, is_resolved = random.random() < corrected, random.random() < RESOLVED
        if said != truth and (is_corrected or said is None):
            learned.learn(lesson(number, text, truth, weak=False))
        elif weak and said is not None and is_resolved and SUGGEST <= sure < AUTO:
            taught, wrong = taught + 1, wrong + (said != truth)
            learned.learn(lesson(number, text, said, weak=True))
    return mean(right), mean(right[-len(right) // 5 :]), taught, wrong


def main() -> None:
    """Print the figures of a file, with weak lessons and without."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--label", default="label")
    parser.add_argument("--labels", type=int, default=12)
    parser.add_argument("--limit", type=int, default=2_000)
    given = parser.parse_args()
    with given.file.open(encoding="utf-8") as lines:
        found = [(row["text"], row[given.label]) for row in map(json.loads, lines)]
    frequent = {label for label, _ in Counter(label for _, label in found).most_common(given.labels)}
    found = [(text, label) for text, label in found if label in frequent]
    print("corrected  weak lessons  accuracy  last 20 %  weak lessons  of them wrong")
    for corrected in (1.0, 0.7, 0.4):
        for weak in (False, True):
            figures: list[tuple[float, float, int, int]] = []
            for seed in SEEDS:
                Random(seed).shuffle(rows := list(found))  # noqa: S311  as above
                figures.append(run(rows[: given.limit], corrected=corrected, weak=weak, seed=seed))
            all_of_them, last, taught, wrong = (mean(column) for column in zip(*figures, strict=True))
            shown = "with" if weak else "without"
            print(f"{corrected:9.0%}  {shown:12}  {all_of_them:8.3f}  {last:9.3f}  {taught:12.0f}  {wrong:13.0f}")


if __name__ == "__main__":
    main()
