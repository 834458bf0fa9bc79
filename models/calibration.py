"""Probabilities that mean what they say: one head's scores, scaled and shifted by what became of earlier ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.kernels import kernels

Doubles = NDArray[np.float64]

_MEMORY, _MEMORY_OF_SHIFTS = 0.998, 0.9999
"""Share of what was observed that is still there after one more label: the last 500 labels speak for the scale."""
_FIRM, _FIRM_SHIFTS = 20.0, 300.0
"""Curvature, in labels' worth, that holds the scale and the shifts where they start.

On the public sets, shifts that follow the last 500 labels cost up to 1.5 points of accuracy and calibrate no better.
"""


_HABITS = np.array([_MEMORY, _FIRM, _MEMORY_OF_SHIFTS, _FIRM_SHIFTS])


class Calibrator:
    """Turns scores into calibrated probabilities: softmax(scale * score + shift), learned online.

    The scale stays between 0.2 and 5.

    It learns from the scores that a ticket was decided with, whenever its label arrives: late labels calibrate what
    was said, not what would be said now. The scale is that of temperature scaling (Guo et al. 2017, *On Calibration
    of Modern Neural Networks*), found by Newton steps on the log loss of the recent past. Labels are columns of the
    scores; new ones may follow at the end.
    """

    def __init__(self, *, compiled: bool | None = None) -> None:
        self._kernels = kernels(compiled=compiled)
        self.scales = np.array([1.0, _FIRM])
        self.shift = np.zeros(0)
        self.curvatures = np.zeros(0)

    @property
    def scale(self) -> float:
        """What scores are multiplied with."""
        return float(self.scales[0])

    def probabilities(self, scores: Doubles) -> Doubles:
        """Probabilities of one ticket, of shape [labels] as its `scores`."""
        chances = np.empty(len(scores))
        self._make_room(len(scores))
        self._kernels.calibrated(scores, self.scale, self.shift, chances)
        return chances

    def learn(self, scores: Doubles, column: int) -> None:
        """A ticket that was decided with `scores`, of shape [labels], turned out to be labelled `column`.

        A label that had no score then says nothing about those that had one.
        """
        known = len(scores)
        if known < 2 or column >= known:  # noqa: PLR2004  one label is certain whatever the scale
            return
        self._make_room(known)
        shift, curvatures = self.shift[:known], self.curvatures[:known]
        self._kernels.calibrate(scores, column, self.scales, shift, curvatures, _HABITS, np.empty(known))

    def restore(self, scales: Doubles, shift: Doubles, curvatures: Doubles) -> None:
        """Take over what another one has learned: its arrays. Raises ValueError where they do not fit together."""
        if scales.shape != self.scales.shape or shift.ndim != 1 or shift.shape != curvatures.shape:
            raise ValueError("the calibration's arrays do not fit together")
        self.scales, self.shift, self.curvatures = scales.copy(), shift.copy(), curvatures.copy()

    def _make_room(self, known: int) -> None:
        more = known - len(self.shift)
        if more > 0:
            self.shift = np.concatenate([self.shift, np.zeros(more)])
            self.curvatures = np.concatenate([self.curvatures, np.full(more, _FIRM_SHIFTS)])
