"""Two sets of models on the same lessons: each says how likely the label was before the lesson is learned.

Dawid 1984, *The Prequential Approach*. The mean difference of log loss has an asymptotic confidence sequence
(Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, *Time-Uniform Central Limit Theory and Asymptotic Confidence
Sequences*): it holds at all times at once, so that one may look after every lesson.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from models.decide import Models, chances
from models.learned import Learned
from models.teaching import standing
from schemas.lessons import LEARNED_HEADS, Lesson

ALPHA = 0.05
"""The chance that the interval ever misses the true mean difference."""

LEAST_LESSONS = 50
"""Below it the interval, which holds in the limit of many, is not believed."""

_FLOOR = 0.0025
"""Of a probability: one lesson costs six nats at most, also where a taxonomy does not have its label."""

_TIGHTEST_AT, _MOST_LESSONS = 500, 10_000_000


class Verdict(StrEnum):
    """What the lessons say of two sets."""

    BETTER = "challenger is better"
    WORSE = "challenger is worse"
    UNDECIDED = "not enough evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Means over `lessons`, losses in nats; `difference` is the live set's loss less the challenger's."""

    lessons: int
    live_loss: float
    challenger_loss: float
    live_accuracy: float
    challenger_accuracy: float
    difference: float
    radius: float | None
    """Half the width of the interval at 95 %; None below LEAST_LESSONS."""
    verdict: Verdict
    more_needed: int | None
    """Lessons still needed if the rest is as those so far; None where decided, or where no number is in sight."""


@dataclass(slots=True)
class _Sums:
    lessons: int = 0
    live: float = 0.0
    challenger: float = 0.0
    live_right: int = 0
    challenger_right: int = 0
    squares: float = 0.0

    def compared(self) -> Compared:
        count = self.lessons
        many = max(1, count)
        mean = (self.live - self.challenger) / many
        variance = max(0.0, self.squares / many - mean * mean)
        radius = _radius(count, variance) if count >= LEAST_LESSONS else None
        verdict = Verdict.UNDECIDED
        if radius is not None and abs(mean) > radius:
            verdict = Verdict.BETTER if mean > 0 else Verdict.WORSE
        return Compared(
            lessons=count,
            live_loss=self.live / many,
            challenger_loss=self.challenger / many,
            live_accuracy=self.live_right / many,
            challenger_accuracy=self.challenger_right / many,
            difference=mean,
            radius=radius,
            verdict=verdict,
            more_needed=None if verdict is not Verdict.UNDECIDED else _more(count, mean, variance),
        )


def compare(lessons: Iterable[Lesson], live: Models, challenger: Models) -> dict[str, Compared]:
    """Head to the comparison over `lessons`, which both learn in their order; heads without lessons are left out.

    Lessons that repeat each other count once, and those that were taken back do not. What is learned knows no taxonomy,
    so that one fold serves both.
    """
    learned = Learned()
    sums: dict[str, _Sums] = {}
    for lesson in standing(lessons):
        if lesson.weak:  # nobody said so
            learned.learn(lesson)
            continue
        before, after = (chances(lesson.head, lesson.text, models, learned) for models in (live, challenger))
        _take(sums.setdefault(lesson.head, _Sums()), lesson.label, before, after)
        learned.learn(lesson)
    return {head: sums[head].compared() for head in LEARNED_HEADS if head in sums}


def _take(sums: _Sums, label: str, live: Mapping[str, float], challenger: Mapping[str, float]) -> None:
    one, two = (-math.log(max(_FLOOR, said.get(label, 0.0))) for said in (live, challenger))
    sums.lessons += 1
    sums.live += one
    sums.challenger += two
    sums.squares += (one - two) ** 2
    sums.live_right += max(live, key=live.__getitem__) == label
    sums.challenger_right += max(challenger, key=challenger.__getitem__) == label


def _radius(count: int, variance: float) -> float:
    """Half the width after `count` pairs; the mixture is tuned to be tightest near `_TIGHTEST_AT`."""
    tuning = (-2 * math.log(ALPHA) + math.log(-2 * math.log(ALPHA) + 1)) / _TIGHTEST_AT
    grown = count * tuning + 1
    return math.sqrt(variance * 2 * grown / (count * count * tuning) * math.log(math.sqrt(grown) / ALPHA))


def _more(count: int, mean: float, variance: float) -> int | None:
    if count < LEAST_LESSONS:
        return LEAST_LESSONS - count
    low, high = count, _MOST_LESSONS
    if abs(mean) <= _radius(high, variance):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if abs(mean) > _radius(middle, variance) else (middle + 1, high)
    return low - count
