"""Prequential evaluation: each ticket is first answered, and learned when its label has come.

Dawid 1984, *Present Position and Potential Developments: The Prequential Approach*; with late labels as in
Gomes et al. 2017, *Adaptive random forests for evolving data stream classification* (delayed setting).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from models.calibration import Calibrator, Doubles
from models.classifier import TextClassifier
from models.cleaning import clean
from models.drift import RisingError, kept
from models.features import Bag
from models.quality import Outcome


class Answer(NamedTuple):
    """What a contestant says of a text, how surely, and what it wants back when the label has come."""

    label: Hashable | None
    probability: float
    memory: Any = None


class Contestant(Protocol):
    """Whoever answers and learns."""

    def answer(self, text: str) -> Answer:
        """The label and its probability; None before anything was learned."""
        ...

    def learn(self, text: str, label: Hashable, memory: Any) -> None:
        """Learn that `text` is labelled `label`; `memory` is that of the answer."""
        ...


class CalibratedHead:
    """The project's own contestant: the online classifier, its scores calibrated when labels come.

    When the error rises, what was counted is mostly forgotten, so that new truths are learned faster.
    """

    def __init__(self, model: TextClassifier, calibrator: Calibrator) -> None:
        self.model = model
        self.calibrator = calibrator
        self.drift = RisingError()
        self.repaired = 0
        """Texts whose decoding had to be repaired."""

    def answer(self, text: str) -> Answer:
        """The label, its calibrated probability, and the features and scores behind them."""
        bag = self._read(text)
        return self._answer(bag, self.model.scores([bag])[0])

    def learn(self, text: str, label: Hashable, memory: tuple[Bag, Doubles, Any]) -> None:  # noqa: ARG002  read already
        """Calibrate by the scores of then, learn from the features, and forget if errors have risen."""
        bag, scores, said = memory
        self.calibrator.learn(scores, self.model.column(label))
        self.model.learn_bags([bag], [label])
        self._watch(said, label)

    def answer_then_learn(self, text: str, label: Hashable) -> Answer:
        """What `answer` says, after which `learn` was called: the same, in two thirds of the time."""
        bag, column = self._read(text), self.model.column(label)
        if column == len(self.model.labels):
            answer = self._answer(bag, self.model.scores([bag])[0])
            self.learn(text, label, answer.memory)
            return answer
        answer = self._answer(bag, self.model.scores_then_learn(bag, label)[0])
        self.calibrator.learn(answer.memory[1], column)
        self._watch(answer.label, label)
        return answer

    def _read(self, text: str) -> Bag:
        cleaned = clean(text)
        self.repaired += cleaned.repaired
        return self.model.read(cleaned.text)

    def _answer(self, bag: Bag, scores: Doubles) -> Answer:
        if not len(scores):
            return Answer(None, 0.0, (bag, scores, None))
        chances = self.calibrator.probabilities(scores)
        best = int(np.argmax(chances))
        said = self.model.labels[best]
        return Answer(said, float(chances[best]), (bag, scores, said))

    def _watch(self, said: Hashable | None, label: Hashable) -> None:
        if rise := self.drift.update(wrong=said != label):
            self.model.forget(keep=kept(rise))


def prequential(
    rows: Iterable[tuple[str, Hashable]], contestant: Contestant, *, delay: int = 0, passes: int = 1
) -> Iterator[Outcome]:
    """Answer each row, and learn it `passes` times when `delay` more rows have been answered."""
    waiting: deque[tuple[str, Hashable, Any]] = deque()
    if isinstance(contestant, CalibratedHead) and not delay and passes == 1:
        for text, label in rows:
            said = contestant.answer_then_learn(text, label)
            yield Outcome(label, said.label, said.probability)
        return
    for text, label in rows:
        said = contestant.answer(text)
        yield Outcome(label, said.label, said.probability)
        waiting.append((text, label, said.memory))
        if len(waiting) > delay:
            for _ in range(passes):
                contestant.learn(*waiting[0])
            waiting.popleft()
