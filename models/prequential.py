"""Prequential evaluation: each ticket is first answered, and learned when its label has come.

Dawid 1984, *Present Position and Potential Developments: The Prequential Approach*; with late labels as in
Gomes et al. 2017, *Adaptive random forests for evolving data stream classification* (delayed setting).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from models.calibration import Calibrator
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
        cleaned = clean(text)
        self.repaired += cleaned.repaired
        bag = self.model.read(cleaned.text)
        scores = self.model.scores([bag])[0]
        if not len(scores):
            return Answer(None, 0.0, (bag, scores, None))
        chances = self.calibrator.probabilities(scores)
        best = int(np.argmax(chances))
        said = self.model.labels[best]
        return Answer(said, float(chances[best]), (bag, scores, said))

    def learn(self, text: str, label: Hashable, memory: tuple[Bag, Any, Any]) -> None:  # noqa: ARG002  read already
        """Calibrate by the scores of then, then learn from the features."""
        bag, scores, said = memory
        if rise := self.drift.update(wrong=said != label):
            self.model.forget(keep=kept(rise))
        self.calibrator.learn(scores, self.model.column(label))
        self.model.learn_bags([bag], [label])


def prequential(
    rows: Iterable[tuple[str, Hashable]], contestant: Contestant, *, delay: int = 0, passes: int = 1
) -> Iterator[Outcome]:
    """Answer each row, and learn it `passes` times when `delay` more rows have been answered."""
    waiting: deque[tuple[str, Hashable, Any]] = deque()
    for text, label in rows:
        said = contestant.answer(text)
        yield Outcome(label, said.label, said.probability)
        waiting.append((text, label, said.memory))
        if len(waiting) > delay:
            for _ in range(passes):
                contestant.learn(*waiting[0])
            waiting.popleft()
