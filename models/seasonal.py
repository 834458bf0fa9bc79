"""The plain seasonal rival: the last quarter of an hour against the same slot of the weeks before, as a z-score.

Mean and variance of each slot of the week are exponentially weighted (Finch 2009, *Incremental calculation of weighted
mean and variance*) over about three weeks; the score is the normal tail of z. What most alerting rules do.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, cast

import numpy as np

from models.detector import ArrayState, Counts, DetectorSettings, Flags, Floats, Scores
from models.weeks import WEEK, WeekCalendar, slot_width

_WEIGHT = 0.3
_PER_DECADE = 1 / math.log(10)
_LEAST_VISITS = 2
_WINDOW = timedelta(minutes=15)


class SeasonalDetector(ArrayState):
    """Scores the last window of each series against its slot of the week; silent until a slot was seen twice."""

    def __init__(self, series: int, settings: DetectorSettings, calendar: WeekCalendar | None = None) -> None:
        self._calendar = calendar or WeekCalendar()
        self._hops = max(1, _WINDOW // settings.hop)
        slots = max(1, WEEK // slot_width(settings.bucket))
        self._slot_s = WEEK.total_seconds() / slots
        super().__init__(
            settings,
            {
                "clock": np.zeros(1),
                "hops": np.zeros(1, dtype=np.int64),
                "slot": np.full(1, -1, dtype=np.int64),
                "ring": np.zeros((self._hops, series)),
                "ring_seen": np.zeros((self._hops, series)),
                "mean": np.zeros((slots, series)),
                "variance": np.zeros((slots, series)),
                "visits": np.zeros((slots, series)),
                "into": np.zeros((2, series)),
            },
        )

    def observe(self, at: float, counts: Counts, present: Flags | None = None) -> Scores:
        """The scores after the hop that ends at `at`; see `Detector.observe`."""
        from scipy import special  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]  slow to import

        state = self._following(at)
        values = np.asarray(counts, dtype=np.float64)
        seen = np.ones(values.size) if present is None else np.asarray(present, dtype=np.float64)
        values = values * seen
        tick = int(state["hops"][0]) % self._hops
        state["ring"][tick], state["ring_seen"][tick] = values, seen
        state["clock"][0] = at
        state["hops"][0] += 1
        seconds, _ = self._calendar.place(at - self._settings.hop.total_seconds() / 2)
        slot = int(seconds / self._slot_s) % len(state["mean"])
        if slot != int(state["slot"][0]):
            self._learn()
            state["slot"][0] = slot
        state["into"] += np.stack([values, seen])
        observed: Floats = state["ring"].sum(axis=0)
        hops: Floats = state["ring_seen"].sum(axis=0)
        expected = state["mean"][slot] * hops
        # The variance is of a whole slot's mean; a window of another length has its share of it, but never less than
        # chance gives a count.
        deviation = np.sqrt(np.maximum(state["variance"][slot] * hops * hops, np.maximum(expected, 1.0)))
        z = (observed - expected) / deviation
        known = (state["visits"][slot] >= _LEAST_VISITS) & (hops > 0)
        known &= (observed >= self._settings.min_count) & (observed >= self._settings.min_ratio * expected)
        tail: Floats = -_PER_DECADE * cast("Any", special).log_ndtr(-z)
        score: Floats = np.minimum(tail, 300.0) * known
        return Scores(
            at=at,
            score=score,
            short=score,
            window=np.zeros(values.size, dtype=np.int64),
            observed=observed,
            expected=expected,
            hop_observed=values,
            hop_expected=state["mean"][slot] * seen,
            now_observed=observed,
            now_expected=expected,
            learning=state["visits"][slot] < _LEAST_VISITS,
        )

    def _learn(self) -> None:
        """Take the slot that has ended into its mean and variance."""
        state = self._state
        slot = int(state["slot"][0])
        total: Floats = state["into"][0]
        hops: Floats = state["into"][1]
        if slot >= 0:
            seen: Flags = hops > 0
            rate: Floats = total / np.maximum(hops, 1.0)
            first = state["visits"][slot] == 0
            step: Floats = np.where(first, 0.0, rate - state["mean"][slot])
            state["mean"][slot] = np.where(
                seen, np.where(first, rate, state["mean"][slot] + _WEIGHT * step), state["mean"][slot]
            )
            spread = (1 - _WEIGHT) * (state["variance"][slot] + _WEIGHT * step * step)
            state["variance"][slot] = np.where(seen, spread, state["variance"][slot])
            state["visits"][slot] += seen
        state["into"].fill(0)
