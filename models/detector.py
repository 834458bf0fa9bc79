"""What every detector of spikes is: how it cuts time, what it says of each series, and how its state is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.float64] | NDArray[np.float32]
Flags = NDArray[np.bool_]

NO_SPIKE_LIMIT = 1.3
"""A series whose short windows score less is no longer in a spike: counts like these come by chance in 1 of 20."""

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_SHORT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSettings:
    """How time is cut, and what a spike needs besides being improbable.

    `hop` is the time between scores, `bucket` that between two lessons of the baseline; both divide each of `windows`.
    `penalties` are taken off the scores of the windows, in decades. Raises ValueError where they do not fit together.
    """

    hop: timedelta = timedelta(seconds=10)
    bucket: timedelta = _MINUTE
    windows: tuple[timedelta, ...] = (_MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR)
    penalties: tuple[float, ...] = (1.0, 0.5, 0.0, 0.0)
    min_count: float = 5.0
    min_ratio: float = 1.5
    freeze_above: float = 4.0
    freeze_for: timedelta = _HOUR
    cold_for: timedelta = timedelta(days=14)
    local_span: timedelta = _HOUR
    local_lag: timedelta = 10 * _MINUTE
    warm_up: timedelta = _HOUR

    def __post_init__(self) -> None:
        if self.hop <= timedelta(0) or self.bucket % self.hop:
            raise ValueError(f"a bucket of {self.bucket} is no multiple of a hop of {self.hop}")
        if not self.windows or len(self.windows) != len(self.penalties):
            raise ValueError("each window needs its penalty, and there has to be one")
        for span in (*self.windows, self.local_span, self.local_lag):
            if span < self.bucket or span % self.hop:
                raise ValueError(f"a span of {span} is no whole number of hops of {self.hop}, or less than a bucket")

    @classmethod
    def for_spacing(cls, spacing: timedelta) -> DetectorSettings:
        """Settings for counts that come once per `spacing`: windows of 1, 5, 15 and 60 minutes where they fit.

        Coarser counts get windows of one and three spacings.
        """
        wanted = zip(cls().windows, cls().penalties, strict=True)
        chosen = {_rounded(window, spacing): penalty for window, penalty in wanted if window >= spacing}
        if spacing not in chosen:
            chosen = {spacing: 0.0, **chosen}
        if len(chosen) == 1:
            chosen[3 * spacing] = 0.0
        return cls(
            hop=spacing,
            bucket=spacing,
            windows=tuple(chosen),
            penalties=tuple(chosen.values()),
            freeze_for=max(_HOUR, 2 * spacing),
            local_span=_rounded(max(_HOUR, 3 * spacing), spacing),
            local_lag=_rounded(max(10 * _MINUTE, spacing), spacing),
            warm_up=max(_HOUR, 24 * spacing) if spacing <= _HOUR else 14 * spacing,
        )

    @property
    def short_windows(self) -> int:
        """How many of the windows tell whether a spike goes on: those up to a quarter of an hour, at least two."""
        return max(min(2, len(self.windows)), sum(window <= _SHORT for window in self.windows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The scores of all series at one moment; every array has one entry a series.

    `score` is in decades of improbability, 0 where nothing stands out; `short` the same for the short windows alone.
    `window` is the place of the best window, `observed` its count and `expected` the baseline's. `hop_observed`
    and `hop_expected` are those of the last hop, `now_observed` and `now_expected` those of the shortest window.
    `learning` is true where a series is too new for an alert.
    """

    at: float
    score: Floats
    short: Floats
    window: NDArray[np.int64]
    observed: Floats
    expected: Floats
    hop_observed: Floats
    hop_expected: Floats
    now_observed: Floats
    now_expected: Floats
    learning: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceScores:
    """The scores of all series after each of some hops without a ticket, which end at `ends`.

    The arrays are those of `Scores` with an entry a hop before that of the series; `learning` holds for all hops.
    """

    ends: tuple[float, ...]
    score: Floats
    short: Floats
    window: NDArray[np.int64]
    observed: Floats
    expected: Floats
    hop_expected: Floats
    now_observed: Floats
    now_expected: Floats
    learning: Flags

    def hop(self, place: int) -> Scores:
        """The scores after one of the hops, as `observe` would have given them."""
        return Scores(
            at=self.ends[place],
            score=self.score[place],
            short=self.short[place],
            window=self.window[place],
            observed=self.observed[place],
            expected=self.expected[place],
            hop_observed=np.zeros(self.learning.size),
            hop_expected=self.hop_expected[place],
            now_observed=self.now_observed[place],
            now_expected=self.now_expected[place],
            learning=self.learning,
        )


class Detector(Protocol):
    """Anything that scores the counts of a fixed set of series, hop after hop."""

    @property
    def settings(self) -> DetectorSettings:
        """How it cuts time."""
        ...

    def observe(self, at: float, counts: Counts, present: Flags | None = None) -> Scores:
        """The scores after the hop that ends at `at`, in seconds since 1970, held `counts`; one entry a series.

        `present` is false where a source was away: such a hop counts as not seen, not as empty. Hops that were left
        out between two calls count as not seen either. Raises ValueError where `at` does not follow the last.
        """
        ...

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """A copy of the whole state: arrays by name."""
        ...

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a snapshot. Raises ValueError where it is of other series or settings."""
        ...


class ArrayState:
    """What detectors share whose state is arrays by name; `hops` seen and the `clock` are arrays of one number."""

    def __init__(self, settings: DetectorSettings, state: dict[str, NDArray[Any]]) -> None:
        self._settings = settings
        self._state = state

    @property
    def settings(self) -> DetectorSettings:
        """How this detector cuts time."""
        return self._settings

    def _following(self, at: float) -> dict[str, NDArray[Any]]:
        """The state, to be advanced to the hop that ends at `at`. Raises ValueError where that is not later."""
        state = self._state
        if state["hops"][0] and at <= state["clock"][0]:
            raise ValueError(f"{at} does not follow {state['clock'][0]}")
        return state

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """A copy of the whole state; see `Detector.snapshot`."""
        return {name: value.copy() for name, value in self._state.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `state`; see `Detector.restore`."""
        for name, value in self._state.items():
            if name not in state or state[name].shape != value.shape:
                raise ValueError(f"the snapshot's {name} is of other series or settings")
        self._state = {name: state[name].copy() for name in self._state}


def _rounded(span: timedelta, spacing: timedelta) -> timedelta:
    """`span` as a whole number of spacings, at least one."""
    return max(1, round(span / spacing)) * spacing
