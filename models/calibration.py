"""Probabilities that mean what they say: one head's scores, scaled and shifted by what became of earlier ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_MEMORY = 0.998
"""Share of what was observed that is still there after one more label: the last 500 labels speak."""
_FIRM = 20.0
"""Curvature, in labels' worth, that holds the scale and the shifts where they start."""
_LEAST, _MOST = 0.2, 5.0


class Calibrator:
    """Turns scores into calibrated probabilities: softmax(scale * score + shift), learned online.

    It learns from the scores that a ticket was decided with, whenever its label arrives: late labels calibrate what
    was said, not what would be said now. The scale is that of temperature scaling (Guo et al. 2017, *On Calibration
    of Modern Neural Networks*), found by Newton steps on the log loss of the recent past. Labels are columns of the
    scores; new ones may follow at the end.
    """

    def __init__(self) -> None:
        self.scale = 1.0
        self.shift = np.zeros(0)
        self._curvature = _FIRM
        self._curvatures = np.zeros(0)

    def probabilities(self, scores: Doubles) -> Doubles:
        """Probabilities, of the same shape [..., labels] as `scores`."""
        scaled = self.scale * scores + self._shift(scores.shape[-1])
        chances = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        return chances / chances.sum(axis=-1, keepdims=True)

    def learn(self, scores: Doubles, column: int) -> None:
        """A ticket that was decided with `scores`, of shape [labels], turned out to be labelled `column`.

        A label that had no score then says nothing about those that had one.
        """
        known = len(scores)
        if known < 2 or column >= known:  # noqa: PLR2004  one label is certain whatever the scale
            return
        shift = self._shift(known)
        chances = self.probabilities(scores)
        mean = float(chances @ scores)
        self._curvature = _MEMORY * self._curvature + (1 - _MEMORY) * _FIRM + float(chances @ (scores - mean) ** 2)
        self.scale = min(_MOST, max(_LEAST, self.scale - (mean - float(scores[column])) / self._curvature))
        self._curvatures *= _MEMORY
        self._curvatures[:known] += (1 - _MEMORY) * _FIRM + chances * (1 - chances)
        chances[column] -= 1.0
        shift -= chances / (self._curvatures[:known] + _FIRM)

    def _shift(self, known: int) -> Doubles:
        """The shifts of the first `known` labels: a view."""
        if known > len(self.shift):
            more = known - len(self.shift)
            self.shift = np.concatenate([self.shift, np.zeros(more)])
            self._curvatures = np.concatenate([self._curvatures, np.full(more, _FIRM)])
        return self.shift[:known]
