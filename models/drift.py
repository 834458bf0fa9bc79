"""Whether a head has become worse: an alarm when its error rises."""

from __future__ import annotations

from typing import Any, cast

from river import drift


class RisingError:
    """ADWIN (Bifet and Gavaldà 2007, *Learning from Time-Changing Data with Adaptive Windowing*), on rises alone.

    An error that falls changes its mean too, but that is learning. `delta` is the chance of a false alarm that one
    test may have.
    """

    def __init__(self, delta: float = 0.002) -> None:
        self._window: Any = cast("Any", drift.ADWIN)(delta=delta)
        self.alarms = 0

    def update(self, *, wrong: bool) -> float:
        """Take in one answer whose truth is known; returns by how much the error has risen, 0 without alarm."""
        before = float(self._window.estimation)
        self._window.update(float(wrong))
        rise = float(self._window.estimation) - before
        if not self._window.drift_detected or rise <= 0:
            return 0.0
        self.alarms += 1
        return rise
