"""Spikes as new peaks: how far a count exceeds its slow level, held against the peaks of the weeks before.

For bursty counts whose ordinary is a burst each hour, such as mentions of a brand, where a tail probability calls
every burst improbable. The deviation of a count from its level, over a power of the level, is divided by a leaky peak
that rises by a fifth of what exceeds it and fades by 1/e in four weeks. Two views of this, of which the higher counts:

- a burst: sums of two, three and four hops vote by their geometric mean, with levels that move by 1 % a hop;
- what lasts: the median of twelve hops, which no burst of five moves, so that the peaks it is held against are those
  of other times that lasted. Its level moves by 0.1 % a hop: a faster one would follow what is to be found.

Only what is a tenth above all of the last half day counts, and a burst is told once: for twelve hops after a score that
reached the threshold there is none. Of this house; benchmarks/spikes measures it by the published scoring of the
Numenta Anomaly Benchmark.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from models.detector import NO_SPIKE_LIMIT, ArrayState, Counts, DetectorSettings, Flags, Floats, Scores

THRESHOLD = 1.2
"""The score that stands out: a fifth above the peaks so far."""

_SUMS = (2, 3, 4)
_SHOWN = 1
"""The place of the sum whose counts are told."""
_LASTING = 12
"""The hops of the longer view, and for how many a burst that was told is not told again."""
_MIDDLE = slice((_LASTING - 1) // 2, _LASTING // 2 + 1)
"""What the median is the mean of: np.median takes three times as long."""
_LEVEL_MOVES = np.array([[0.01]] * len(_SUMS) + [[0.001]])
_PEAK_MEMORY = timedelta(minutes=5 * 8000)
_PEAK_RISES = 0.2
_LEVEL_OFFSET, _POWER = 6.0, 0.25
_QUIET = timedelta(hours=12)
_NEW = 1.1
_LEAST_RATIO = 1e-3


class LeakyPeakDetector(ArrayState):
    """Scores each hop by its novelty: 1 is as high as the peaks of the weeks before, 0 nothing.

    A score of `threshold` tells a burst.
    """

    def __init__(self, series: int, settings: DetectorSettings, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._gate = max(1, _QUIET // settings.hop)
        self._decay = float(np.exp(-(settings.hop / _PEAK_MEMORY)))
        super().__init__(
            settings,
            {
                "clock": np.zeros(1),
                "hops": np.zeros(1, dtype=np.int64),
                "recent": np.zeros((_LASTING, series)),
                "level": np.full((len(_LEVEL_MOVES), series), np.nan),
                "peak": np.zeros((len(_LEVEL_MOVES), series)),
                "told": np.full(series, -_LASTING - 1, dtype=np.int64),
                "ratios": np.zeros((self._gate, series), dtype=np.float32),
                "seen": np.zeros(series),
            },
        )

    def observe(self, at: float, counts: Counts, present: Flags | None = None) -> Scores:
        """The scores after the hop that ends at `at`; see `Detector.observe`. Gaps leave the level as it is."""
        state = self._following(at)
        values = np.asarray(counts, dtype=np.float64)
        seen = np.ones(values.shape, dtype=np.bool_) if present is None else np.asarray(present, dtype=np.bool_)
        tick = int(state["hops"][0])
        state["clock"][0], state["hops"][0] = at, tick + 1
        recent: Floats = state["recent"]
        recent[tick % len(recent)] = np.where(seen, values, recent[(tick - 1) % len(recent)])
        x = np.stack(
            [
                *(recent[(tick - np.arange(hops)) % len(recent)].sum(axis=0) for hops in _SUMS),
                np.sort(recent, axis=0)[_MIDDLE].mean(axis=0),
            ]
        )
        level: Floats = np.where(np.isnan(state["level"]), np.where(seen, x, np.nan), state["level"])
        known = seen & ~np.isnan(level[0])
        level = np.where(known, level + _LEVEL_MOVES * (x - level), level)
        expected = np.nan_to_num(level)
        deviation = np.where(known, (x - expected) / (expected + _LEVEL_OFFSET) ** _POWER, 0.0)
        peak: Floats = state["peak"] * self._decay
        each = np.maximum(deviation / np.maximum(peak, 1e-9), _LEAST_RATIO)
        peak = np.where(known & (deviation > peak), peak + _PEAK_RISES * (deviation - peak), peak)
        burst: Floats = np.exp(np.log(each[: len(_SUMS)]).mean(axis=0))
        ratio: Floats = np.where(known, np.maximum(burst, each[-1]), 0.0)
        past: NDArray[np.float32] = state["ratios"]
        newest = known & (ratio > _NEW * past.max(axis=0))
        past[tick % self._gate] = ratio
        score: Floats = np.where(newest & (tick - state["told"] > _LASTING), ratio, 0.0)
        state["told"] = np.where(score >= self._threshold, tick, state["told"])
        state["level"], state["peak"] = level, peak
        state["seen"] = state["seen"] + known
        return Scores(
            at=at,
            score=score,
            # A burst goes on while it is above half the peaks.
            short=ratio * 2 * NO_SPIKE_LIMIT,
            window=np.zeros(values.size, dtype=np.int64),
            observed=x[_SHOWN],
            expected=expected[_SHOWN],
            hop_observed=np.where(seen, values, 0.0),
            hop_expected=np.where(seen, expected[_SHOWN] / _SUMS[_SHOWN], 0.0),
            now_observed=x[_SHOWN],
            now_expected=expected[_SHOWN],
            learning=state["seen"] < self._gate,
        )
