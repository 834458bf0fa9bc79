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

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from models.detector import NO_SPIKE_LIMIT, ArrayState, Counts, DetectorSettings, Flags, Floats, Scores

THRESHOLD = 1.2
"""The score that stands out: a fifth above the peaks so far."""

_SUMS = (2, 3, 4)
_SHOWN = 1
"""The place of the sum whose counts are told."""
_LEAST_RATIO = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltySettings:
    """What novelty rests on; `benchmarks/spikes` tells what other numbers would do.

    `lasting` is the hops of the longer view, and for how many a burst that was told is not told again. The levels of
    both views move by `burst_moves` and `lasting_moves` a hop. A deviation is over the power `power` of the level and
    `offset`. What counts is `new` times all of the time `quiet` before. Raises ValueError where `lasting` is shorter
    than a burst.
    """

    threshold: float = THRESHOLD
    lasting: int = 12
    burst_moves: float = 0.01
    lasting_moves: float = 0.001
    offset: float = 6.0
    power: float = 0.25
    peak_memory: timedelta = timedelta(minutes=5 * 8000)
    peak_rises: float = 0.2
    quiet: timedelta = timedelta(hours=12)
    new: float = 1.1

    def __post_init__(self) -> None:
        if self.lasting < max(_SUMS):
            raise ValueError(f"what lasts is longer than a burst: at least {max(_SUMS)} hops, not {self.lasting}")


class LeakyPeakDetector(ArrayState):
    """Scores each hop by its novelty: 1 is as high as the peaks of the weeks before, 0 nothing."""

    def __init__(self, series: int, settings: DetectorSettings, novelty: NoveltySettings | None = None) -> None:
        self._novelty = novelty = novelty or NoveltySettings()
        self._moves = np.array([[novelty.burst_moves]] * len(_SUMS) + [[novelty.lasting_moves]])
        # The median is the mean of these in order: np.median takes three times as long.
        self._middle = slice((novelty.lasting - 1) // 2, novelty.lasting // 2 + 1)
        self._gate = max(1, novelty.quiet // settings.hop)
        self._decay = float(np.exp(-(settings.hop / novelty.peak_memory)))
        super().__init__(
            settings,
            {
                "clock": np.zeros(1),
                "hops": np.zeros(1, dtype=np.int64),
                "recent": np.zeros((novelty.lasting, series)),
                "level": np.full((len(_SUMS) + 1, series), np.nan),
                "peak": np.zeros((len(_SUMS) + 1, series)),
                "told": np.full(series, -novelty.lasting - 1, dtype=np.int64),
                "ratios": np.zeros((self._gate, series), dtype=np.float32),
                "seen": np.zeros(series),
            },
        )

    def observe(self, at: float, counts: Counts, present: Flags | None = None) -> Scores:
        """The scores after the hop that ends at `at`; see `Detector.observe`. Gaps leave the level as it is."""
        state, novelty = self._following(at), self._novelty
        values = np.asarray(counts, dtype=np.float64)
        seen = np.ones(values.shape, dtype=np.bool_) if present is None else np.asarray(present, dtype=np.bool_)
        tick = int(state["hops"][0])
        state["clock"][0], state["hops"][0] = at, tick + 1
        recent: Floats = state["recent"]
        recent[tick % len(recent)] = np.where(seen, values, recent[(tick - 1) % len(recent)])
        x = np.stack(
            [
                *(recent[(tick - np.arange(hops)) % len(recent)].sum(axis=0) for hops in _SUMS),
                np.sort(recent, axis=0)[self._middle].mean(axis=0),
            ]
        )
        level: Floats = np.where(np.isnan(state["level"]), np.where(seen, x, np.nan), state["level"])
        known = seen & ~np.isnan(level[0])
        level = np.where(known, level + self._moves * (x - level), level)
        expected = np.nan_to_num(level)
        deviation = np.where(known, (x - expected) / (expected + novelty.offset) ** novelty.power, 0.0)
        peak: Floats = state["peak"] * self._decay
        each = np.maximum(deviation / np.maximum(peak, 1e-9), _LEAST_RATIO)
        peak = np.where(known & (deviation > peak), peak + novelty.peak_rises * (deviation - peak), peak)
        burst: Floats = np.exp(np.log(each[: len(_SUMS)]).mean(axis=0))
        ratio: Floats = np.where(known, np.maximum(burst, each[-1]), 0.0)
        past: NDArray[np.float32] = state["ratios"]
        newest = known & (ratio > novelty.new * past.max(axis=0))
        past[tick % self._gate] = ratio
        score: Floats = np.where(newest & (tick - state["told"] > novelty.lasting), ratio, 0.0)
        state["told"] = np.where(score >= novelty.threshold, tick, state["told"])
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
