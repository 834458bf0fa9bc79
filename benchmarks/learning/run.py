"""How well and how fast tickets are learned, beside river, scikit-learn and, where it is installed, Vowpal Wabbit.

    python3 dev.py bench-learning                                  every set, delays 0, 100, 1,000, three shuffles
    python3 dev.py bench-learning --shuffles 1 --sets banking77 --delays 0 --against river

Everyone answers and learns the same rows in the same order with the same delay, one at a time, one after the other on
one core. Figures are means over the shuffles. The sets are the public ones of ../shared/data; what is absent is left
out. The last part reads four heads from tickets of about 550 characters.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from models.classifier import TextClassifier, softmax_rows
from models.features import Bags
from streams import wiring
from streams.baselines import RIVALS, rivals, river_softmax
from streams.evaluate import OURS, Result, evaluate, ours, shuffled, warm_up
from streams.labelled import Labelled

DATA = Path(__file__).parents[2].parent / "shared" / "data"
HEADS = ("queue", "priority", "type", "lang")
TICKET = 550
BATCH = 32
ROUNDS = 3
EXPLAINED = 10_000

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Set:
    """A labelled set, or a part of one."""

    file: str
    label: str
    chosen: Callable[[Row], bool] = lambda _: True


def _is_mixed(row: Row) -> bool:
    return "german" not in row["src"] and row["lang"] in {"en", "de"}


SETS = {
    "banking77": Set("banking77.jsonl", "label"),
    "softoft-52": Set("softoft.jsonl", "queue", lambda row: "german" in row["src"]),
    "softoft-queue": Set("softoft.jsonl", "queue", _is_mixed),
    "softoft-priority": Set("softoft.jsonl", "priority", _is_mixed),
    "softoft-type": Set("softoft.jsonl", "type", lambda row: _is_mixed(row) and bool(row["type"])),
    "sb10k": Set("sb10k.jsonl", "label"),
    "airline": Set("airline.jsonl", "label"),
    "airline-in-time": Set("airline.jsonl", "label"),
}
"""softoft-52 is German alone, softoft-queue, -priority and -type are English and German; airline-in-time is never
shuffled."""


def main() -> None:
    """Run what the options choose and print it as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--delays", nargs="+", type=int, default=[0, 100, 1_000])
    parser.add_argument("--shuffles", type=int, default=3)
    parser.add_argument("--limit", type=int, help="rows of a set at most, after shuffling")
    parser.add_argument("--against", nargs="*", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--heads", action="store_true", help="only the four heads")
    parser.add_argument("--explain", action="store_true", help="only: whether contributions add up, on 10,000 tickets")
    given = parser.parse_args()
    warm_up()
    if given.explain:
        print(_explained())
        return
    if not given.heads:
        contestants, absent = rivals(given.against)
        for note in absent:
            print(f"{note}\n")
        titles = ("set", "delay", "contestant", "accuracy", "last 20 %", "macro-F1", "ECE, last 20 %")
        print(f"| {' | '.join(titles)} | at 90 % | at 95 % | docs/s |")
        print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        for name in given.sets:
            for line in _compare(name, {OURS: ours, **contestants}, given.delays, given.shuffles, given.limit):
                print(line, flush=True)
        print()
    for line in _four_heads():
        print(line, flush=True)


def _compare(
    name: str, contestants: Mapping[str, Callable[[], Any]], delays: list[int], shuffles: int, limit: int | None
) -> Iterator[str]:
    rows = _rows(SETS[name])
    if not rows:
        yield f"| {name} | | {SETS[name].file} is not beside the checkout | | | | | | | |"
        return
    seeds = [None] if name == "airline-in-time" else list(range(shuffles))
    for delay in delays:
        for contestant, make in contestants.items():
            results = [
                evaluate(
                    (rows if seed is None else shuffled(rows, seed))[:limit],
                    contestant,
                    make,
                    delay=delay,
                    passes=1,
                    clock=wiring.wall_clock,
                    on_progress=lambda _: None,
                )[0]
                for seed in seeds
            ]
            yield f"| {name} | {delay:,} | {contestant} | {_cells(results)} |"


def _cells(results: list[Result]) -> str:
    figures = (
        fmean(result.over_all.accuracy for result in results),
        fmean(result.over_last.accuracy for result in results),
        fmean(result.over_all.macro_f1 for result in results),
        fmean(result.over_last.ece for result in results),
        fmean(result.over_all.coverage_90 for result in results),
        fmean(result.over_all.coverage_95 for result in results),
    )
    speed = fmean(result.documents_per_second for result in results)
    return " | ".join([*(f"{figure:.3f}" for figure in figures), f"{speed:,.0f}"])


def _four_heads() -> Iterator[str]:  # noqa: C901  what is timed stands beside what it is timed on
    """Four heads that share one reading, and four river pipelines, on the same tickets; the best of the rounds."""
    path = DATA / "softoft.jsonl"
    if not path.exists():
        yield "softoft.jsonl is not beside the checkout: no four heads"
        return
    rows = [row for row in _lines(path) if _is_mixed(row) and len(row["text"]) >= TICKET]
    texts = [row["text"][:TICKET] for row in rows]
    labels = [[str(row[head]) for row in rows] for head in HEADS]
    models = [TextClassifier() for _ in HEADS]
    yield f"Four heads, {len(texts):,} tickets cut to {TICKET} characters, tickets a second of CPU:"
    yield ""
    yield "| | predict in batches of 32 | predict singly | predict and learn singly |"
    yield "| --- | ---: | ---: | ---: |"

    def predict(size: int) -> None:
        for at in range(0, len(texts), size):
            bags = models[0].read_many(texts[at : at + size])
            for model in models:
                softmax_rows(model.scores(bags))

    def predict_and_learn() -> None:
        for at, text in enumerate(texts):
            bag = Bags.of([models[0].read(text)])
            for model, truth in zip(models, labels, strict=True):
                model.expect(truth[at])
                softmax_rows(model.scores_then_learn(bag, truth[at]))

    learned = _speed(predict_and_learn, len(texts))
    speeds = (_speed(lambda: predict(BATCH), len(texts)), _speed(lambda: predict(1), len(texts)), learned)
    yield f"| {OURS} | {' | '.join(f'{speed:,.0f}' for speed in speeds)} |"

    few = 200
    pipelines = [river_softmax() for _ in HEADS]

    def river(*, learning: bool) -> None:
        for at, text in enumerate(texts[:few]):
            for pipeline, truth in zip(pipelines, labels, strict=True):
                pipeline.answer(text)
                if learning:
                    pipeline.learn(text, truth[at], None)

    learned = _speed(lambda: river(learning=True), few)
    singly = _speed(lambda: river(learning=False), few)
    yield f"| river TFIDF -> softmax SGD | has none | {singly:,.0f} | {learned:,.0f} |"


def _explained() -> str:
    """How far the contributions of one label and the score of it are apart at most, each label in its turn."""
    path = DATA / "softoft.jsonl"
    if not path.exists():
        return "softoft.jsonl is not beside the checkout: nothing to explain"
    rows = _lines(path)[:EXPLAINED]
    model = TextClassifier()
    bags = [model.read(row["text"]) for row in rows]
    model.learn_bags(bags, [str(row["queue"]) for row in rows])
    scores = model.scores(bags)
    most = 0.0
    for at, row in enumerate(rows):
        column = at % len(model.labels)
        why = model.explain_one(row["text"], model.labels[column])
        most = max(most, abs(why.base + sum(weight for _, weight in why.contributions) - scores[at, column]))
    return f"{len(rows):,} tickets, {len(model.labels)} labels: contributions and score are {most:.1e} apart at most"


def _speed(work: Callable[[], None], tickets: int) -> float:
    seconds: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()  # others use the machine, too
        work()
        seconds.append(time.process_time() - began)
    return tickets / min(seconds)


def _rows(chosen: Set) -> list[Labelled]:
    path = DATA / chosen.file
    if not path.exists():
        return []
    return [
        Labelled(text=row["text"], label=str(row[chosen.label]), line=number)
        for number, row in enumerate(_lines(path), 1)
        if chosen.chosen(row) and row.get(chosen.label)
    ]


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    main()
