"""The lessons taken one after the other: each is answered with what those before it taught, counted, and then learned.

Dawid 1984, *The Prequential Approach*. So every figure is about texts that had not been learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from models.learned import Learned
from models.teaching import standing
from schemas.lessons import Lesson


class Tally(Protocol):
    """Counts how good answers are."""

    def answer(self, lesson: Lesson, learned: Learned) -> Any:
        """What is said of `lesson` before it is learned; None where nothing can be."""
        ...

    def count(self, lesson: Lesson, answer: Any) -> None:
        """Count an answer that was given."""
        ...

    def to_json(self) -> Any:
        """All that was counted, as JSON."""
        ...

    def restore(self, counted: Any) -> None:
        """Count on from what `to_json` gave. Raises ValueError, KeyError or TypeError for anything else."""
        ...


class Course:
    """What is learned and what is counted on the way: a function of the lessons that stand, however they came.

    Lessons that repeat each other, and those that were taken back, count once and not at all. Weak ones are learned and
    not counted: nobody said so.
    """

    def __init__(self, learned: Learned, tally: Tally) -> None:
        self.learned = learned
        self.tally = tally

    def takes_back(self, lessons: Sequence[Lesson]) -> bool:
        """Whether one of `lessons` takes back what is counted: then this is of no use for what comes after it."""
        return self.learned.takes_back(lessons)

    def take(self, lessons: Sequence[Lesson]) -> None:
        """Answer, count and learn `lessons`, in order. Raises ValueError where one takes back what is counted."""
        if self.takes_back(lessons):
            raise ValueError("a lesson that is counted is taken back: count anew")
        for lesson in standing(lessons):
            answer = None if lesson.weak or not lesson.teaches else self.tally.answer(lesson, self.learned)
            if self.learned.learn(lesson) and answer is not None:
                self.tally.count(lesson, answer)
        self.learned.learn_all(lessons)  # what does not stand was met, too
