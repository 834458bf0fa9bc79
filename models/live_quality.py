"""How good the models are that decide, on the last lessons of each head: as they came, and before each was learned."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from models.decide import Models, as_audited, chances
from models.learned import Learned
from models.quality import Outcome, Quality, quality
from schemas.decisions import LogPosition
from schemas.lessons import LEARNED_HEADS, Lesson

WINDOW = 1_000
"""The newest lessons of each head: figures are over those."""

MOST_VALUES = 20
"""Teams, tenants and languages that have figures of their own: the most frequent. The others are one together."""

ALL, OTHERS = "all", "(others)"

DIMENSIONS = ("team", "tenant", "language")

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One lesson: what was true, what was said and how surely, of whom, and how long after the ticket it came."""

    truth: str
    said: str
    probability: float
    team: str
    tenant: str
    language: str
    delay_s: float | None
    """Seconds; None where the ticket's time is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures over the answers of `head` whose `dimension` has this `value`."""

    head: str
    dimension: str
    value: str
    quality: Quality
    delay_median: timedelta | None
    delay_90: timedelta | None


class QualityWindow:
    """Counts the answers of the models that decided on each lesson's ticket.

    `models_at` gives those of an event's place, None where they cannot be made here: such a lesson is not judged.
    `asked_at` gives the time of a lesson's ticket.
    """

    def __init__(
        self,
        models_at: Callable[[LogPosition], Models | None],
        asked_at: Callable[[Lesson], datetime | None],
        window: int = WINDOW,
    ) -> None:
        self._models_at = models_at
        self._asked_at = asked_at
        self._answers: dict[str, deque[Answered]] = {head: deque(maxlen=window) for head in LEARNED_HEADS}

    def answer(self, lesson: Lesson, learned: Learned) -> Answered | None:
        """As a tally's."""
        models = self._models_at(lesson.event)
        if models is None:
            return None
        found = chances(lesson.head, lesson.text, models, learned)
        said = max(found, key=found.__getitem__)
        categories = found if lesson.head == "category" else chances("category", lesson.text, models, learned)
        category = max(categories, key=categories.__getitem__)
        asked = self._asked_at(lesson)
        return Answered(
            truth=lesson.label,
            said=said,
            probability=as_audited(found, lesson.head, lesson.tenant, learned)[said],
            team=models.taxonomy.categories[category].team,
            tenant=lesson.tenant,
            language=models.language.judge(lesson.text, lesson.language_hint).label,
            delay_s=None if asked is None else max(0.0, (lesson.occurred_at - asked) / SECOND),
        )

    def count(self, lesson: Lesson, answer: Answered) -> None:
        """As a tally's."""
        self._answers[lesson.head].append(answer)

    def outcomes(self, head: str) -> list[Outcome]:
        """The answers of `head` in the window, as `models.quality` takes them."""
        return [_outcome(answer) for answer in self._answers[head]]

    def figures(self) -> list[Figures]:
        """By head: over all answers, and by team, tenant and language. Nothing for heads without lessons."""
        found: list[Figures] = []
        for head, answers in self._answers.items():
            if not answers:
                continue
            found.append(_figures(head, ALL, ALL, answers))
            for dimension in DIMENSIONS:
                for value, some in _grouped(answers, dimension).items():
                    found.append(_figures(head, dimension, value, some))
        return found

    def to_json(self) -> Any:
        """As a tally's."""
        return {head: [asdict(answer) for answer in answers] for head, answers in self._answers.items() if answers}

    def restore(self, counted: Any) -> None:
        """As a tally's."""
        for head, answers in dict(counted).items():
            self._answers[head].extend(Answered(**answer) for answer in answers)


def _grouped(answers: Iterable[Answered], dimension: str) -> Mapping[str, list[Answered]]:
    """The answers by their value, the most frequent first; equally frequent ones by name."""
    values = Counter(getattr(answer, dimension) for answer in answers)
    own = {value for value, _ in sorted(values.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]}
    groups: dict[str, list[Answered]] = {}
    for answer in answers:
        value = getattr(answer, dimension)
        groups.setdefault(value if value in own else OTHERS, []).append(answer)
    return groups


def _figures(head: str, dimension: str, value: str, answers: Iterable[Answered]) -> Figures:
    delays = [answer.delay_s for answer in answers if answer.delay_s is not None]
    median, most = np.quantile(delays, [0.5, 0.9], method="higher").tolist() if delays else (None, None)
    return Figures(
        head=head,
        dimension=dimension,
        value=value,
        quality=quality([_outcome(answer) for answer in answers]),
        delay_median=None if median is None else timedelta(seconds=median),
        delay_90=None if most is None else timedelta(seconds=most),
    )


def _outcome(answer: Answered) -> Outcome:
    return Outcome(answer.truth, answer.said, answer.probability)
