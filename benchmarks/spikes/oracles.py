"""Detectors that know what nobody can: what they miss is hard to find at that rate of false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from models.detector import DetectorSettings
from models.negative_binomial import NegativeBinomialDetector
from models.simulator import SIZES, Simulation
from models.tails import improbability
from models.weeks import WeekCalendar

SCANNED = (1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120)
"""Minutes since the onset that the scan supposes."""
WINDOWS = (1, 2, 3, 5, 10, 15, 30, 60)
"""Minutes of the filter's windows."""
LEAST_COUNT, LEAST_RATIO = 5, 1.5


class TrueRates(NegativeBinomialDetector):
    """Ours with the true rates in the place of the baseline; it learns variances alone."""

    def __init__(self, drawn: Sequence[Simulation], settings: DetectorSettings, calendar: WeekCalendar) -> None:
        rates = [simulation.rates.astype(np.float64) for simulation in drawn]
        self._true = np.hstack([*rates, *(rate.sum(axis=1, keepdims=True) for rate in rates)])
        self._start = drawn[0].settings.start.timestamp()
        super().__init__(self._true.shape[1], settings, calendar)
        self._state.level_tickets[:] = 1e12
        self._state.level_share[:] = 1e12

    def _level(self) -> NDArray[np.float64]:
        return np.ones(self.series)

    def _learn_level(self, *_: object) -> None:
        pass

    def _profile(self, slot: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        del slot
        return np.ones(self.series), np.zeros(self.series)

    def _enter_bucket(self, middle: float) -> None:
        super()._enter_bucket(middle)
        rates = self._true[min(int((middle - self._start) / 60), len(self._true) - 1)]
        self._share = (rates / self._bucket_hops).astype(np.float32)


def scan(simulation: Simulation) -> NDArray[np.float32]:
    """The generalised likelihood ratio (Lorden 1971) of each minute, over onsets and sizes, in nats: (minutes, series).

    Counts are Poisson given the activity, which is told; sizes are those of the simulation.
    """
    tickets, mean = _per_minute(simulation, simulation.active)
    counts, means = _summed(tickets), _summed(mean)
    best = np.zeros(mean.shape)
    for minutes in SCANNED:
        x, mu = counts[minutes:] - counts[:-minutes], means[minutes:] - means[:-minutes]
        ratio = np.clip(x / np.maximum(mu, 1e-9), 1.0, max(SIZES))
        np.maximum(best[minutes - 1 :], x * np.log(ratio) - mu * (ratio - 1), out=best[minutes - 1 :])
    return best.astype(np.float32)


def filtered(simulation: Simulation) -> NDArray[np.float32]:
    """Tails of windows given all that came before each of them, in decades: (minutes, series).

    Rates are told, and the variance and the correlation of the activity that wanders about them; where it stands is
    followed by a gamma filter (West, Harrison and Migon 1985, *Dynamic Generalized Linear Models and Bayesian
    Forecasting*), of which single minutes beyond four deviations are cut off.
    """
    tickets, mean = _per_minute(simulation, simulation.rates)
    spread, stay, sent = simulation.spread, simulation.stay, 1 + 2 * simulation.settings.duplicates
    level, doubt = np.ones(len(spread)), spread.copy()
    levels, doubts = [level], [doubt]
    for x, mu in zip(tickets, mean, strict=True):
        level, doubt = 1 + (level - 1) * stay, doubt * stay**2 + spread * (1 - stay**2)
        limit = level * mu + 4 * np.sqrt(level * mu * sent + doubt * mu**2) + 1
        shape, rate = level**2 / doubt + np.minimum(x, limit) / sent, level / doubt + mu / sent
        level, doubt = shape / rate, shape / rate**2
        levels.append(level)
        doubts.append(doubt)
    before, unsure = np.array(levels), np.array(doubts)
    counts, means = _summed(tickets), _summed(mean)
    best = np.zeros(mean.shape)
    for minutes in WINDOWS:
        x, mu = counts[minutes:] - counts[:-minutes], means[minutes:] - means[:-minutes]
        ahead = np.arange(1, minutes + 1)
        lasting = (stay[:, None] ** ahead).mean(axis=1)
        apart, both = np.abs(ahead[:, None] - ahead), ahead[:, None] + ahead
        fresh = np.array([(each**apart - each**both).mean() for each in stay])
        activity = 1 + (before[: len(x)] - 1) * lasting
        relative = (unsure[: len(x)] * lasting**2 + spread * fresh) / activity**2
        expected = np.maximum(mu * activity, 1e-6)
        at = np.nonzero((x >= LEAST_COUNT) & (x >= LEAST_RATIO * expected))
        ending = best[minutes - 1 :]
        ending[at] = np.maximum(ending[at], improbability(x[at], expected[at], sent - 1, relative[at]))
    return best.astype(np.float32)


def _per_minute(simulation: Simulation, rates: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The tickets of each minute, and those that `rates` expect of what was seen of it."""
    settings = simulation.settings
    shape = (-1, timedelta(minutes=1) // settings.hop, simulation.counts.shape[1])
    seen = simulation.present.reshape(shape).mean(axis=1)
    tickets = simulation.counts.reshape(shape).sum(axis=1).astype(np.float64)
    return tickets, rates * (1 + settings.duplicates) * seen


def _summed(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.cumsum(np.vstack([np.zeros((1, rows.shape[1])), rows]), axis=0)
