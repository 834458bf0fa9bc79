"""Simulated ticket streams with known spikes: what detectors are measured on, and thresholds set with.

Each series has a level, a profile of day and week, a trend, and a slowly wandering activity besides (the logarithm an
Ornstein-Uhlenbeck process), given which its counts are Poisson: together overdispersed and autocorrelated, as real
tickets are. Some tickets are sent twice. Sources are away at times, holidays are quiet. Everything follows from a seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

SIZES = (1.5, 2.0, 3.0, 5.0, 10.0)
_DAY_MINUTES = 1440
_WEEKEND = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """What is simulated. `start` is midnight UTC; `quiet` is the time at the start without spikes.

    Which days are holidays follows from `region`, so that simulations of one region share a calendar.
    """

    series: int = 120
    days: int = 42
    hop: timedelta = timedelta(seconds=10)
    start: datetime
    seed: int = 0
    quiet: timedelta = timedelta(days=14)
    tickets_per_day: tuple[float, float] = (100.0, 20_000.0)
    spikes_per_week: float = 1.5
    ramps: float = 0.3
    duplicates: float = 0.03
    holidays: int = 2
    region: int = 0
    gaps_per_week: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueSpike:
    """A spike that was put into a series: `ratio` times its rate, `excess` tickets more than expected."""

    series: int
    begin: datetime
    end: datetime
    ratio: float
    excess: float
    ramp: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Counts per hop, (hops, series), which of them were seen, the spikes, and the holidays.

    `rates` are the expected tickets per minute without spikes, (minutes, series), and `active` the same with the
    activity that wanders, whose relative variance and part that lasts from one minute to the next are `spread` and
    `stay`, (series): what oracles know.
    """

    counts: NDArray[np.uint16]
    present: NDArray[np.bool_]
    spikes: tuple[TrueSpike, ...]
    holidays: tuple[date, ...]
    rates: NDArray[np.float32]
    active: NDArray[np.float32]
    spread: NDArray[np.float64]
    stay: NDArray[np.float64]
    settings: SimulatorSettings

    def hops(self) -> Iterator[tuple[float, NDArray[np.float64], NDArray[np.bool_]]]:
        """The end of each hop in seconds since 1970, the counts of all series, and which of them were seen."""
        first, hop_s = self.settings.start.timestamp(), self.settings.hop.total_seconds()
        for at, (row, seen) in enumerate(zip(self.counts, self.present, strict=True), 1):
            yield first + at * hop_s, row.astype(np.float64), seen


def simulate(settings: SimulatorSettings) -> Simulation:
    """The ticket streams that follow from `settings`. Raises ValueError where a minute is not whole hops."""
    if timedelta(minutes=1) % settings.hop:
        raise ValueError(f"a minute is not a whole number of hops of {settings.hop}")
    random = np.random.default_rng(settings.seed)
    minutes = settings.days * _DAY_MINUTES
    free = settings.days - max(1, settings.quiet.days)
    order = np.random.default_rng(settings.region).permutation(free)
    quiet_days = np.sort(settings.days - 1 - order[: settings.holidays])
    rates = np.empty((minutes, settings.series), dtype=np.float32)
    active = np.empty_like(rates)
    spread, stay = np.empty(settings.series), np.empty(settings.series)
    low, high = map(math.log, settings.tickets_per_day)
    for place in range(settings.series):
        rate = math.exp(random.uniform(low, high)) * _profile(settings, random, quiet_days)
        rates[:, place] = rate
        activity, spread[place], stay[place] = _wandering(minutes, random)
        active[:, place] = rate * activity
    spiked = active.copy()
    spikes = _spikes(settings, random, rates, spiked)
    counts = _counts(settings, random, spiked)
    present = _present(settings, random, counts.shape)
    counts[~present] = 0
    holidays = tuple((settings.start + timedelta(days=int(day))).date() for day in quiet_days)
    return Simulation(
        counts=counts,
        present=present,
        spikes=spikes,
        holidays=holidays,
        rates=rates,
        active=active,
        spread=spread,
        stay=stay,
        settings=settings,
    )


def _profile(
    settings: SimulatorSettings, random: np.random.Generator, quiet_days: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Tickets per minute at one ticket a day: two humps a day, a quieter weekend, a trend, holidays."""
    minute = np.arange(_DAY_MINUTES) / 60
    morning, afternoon = random.normal(10, 0.7), random.normal(15, 0.8)
    day = np.exp(-(((minute - morning) / random.uniform(1.5, 2.5)) ** 2))
    day += random.uniform(0.5, 1) * np.exp(-(((minute - afternoon) / random.uniform(1.8, 3)) ** 2))
    day = random.uniform(0.05, 0.4) + day
    day /= day.sum()
    weekday = settings.start.weekday()
    weekend = random.uniform(0.15, 0.8)
    growth = random.normal(0, 0.006)
    holiday = random.uniform(0.1, 0.4)
    factors = [
        (weekend if (weekday + at) % 7 >= _WEEKEND else random.normal(1, 0.05))
        * np.exp(growth * at)
        * (holiday if at in quiet_days else 1.0)
        for at in range(settings.days)
    ]
    return np.outer(factors, day).ravel()


def _wandering(minutes: int, random: np.random.Generator) -> tuple[NDArray[np.float64], float, float]:
    """Activity with mean 1: the exponential of an Ornstein-Uhlenbeck process, sampled every minute.

    With it, its variance and the autocorrelation of its logarithm after a minute.
    """
    spread = random.uniform(0.01, 0.15)
    variance = np.log1p(spread)
    stay = np.exp(-1 / random.uniform(10, 180))
    steps = random.normal(0, np.sqrt(variance * (1 - stay**2)), minutes)
    steps[0] = random.normal(0, np.sqrt(variance))
    walk = _recursive(steps, float(stay))
    return np.exp(walk - variance / 2), float(spread), float(stay)


def _recursive(steps: NDArray[np.float64], stay: float) -> NDArray[np.float64]:
    """y[t] = stay * y[t - 1] + steps[t], in blocks short enough that powers of `stay` stay in range."""
    out = np.empty_like(steps)
    block = max(1, int(30 / -np.log(stay)))
    last = 0.0
    for begin in range(0, steps.size, block):
        part = steps[begin : begin + block]
        powers = stay ** np.arange(1, part.size + 1)
        out[begin : begin + block] = powers * (last + np.cumsum(part / powers))
        last = float(out[begin + part.size - 1])
    return out


def _spikes(
    settings: SimulatorSettings,
    random: np.random.Generator,
    rates: NDArray[np.float32],
    active: NDArray[np.float32],
) -> tuple[TrueSpike, ...]:
    """Spikes put into `active`, at most one in twelve hours of a series, so that each can be told from the others."""
    found: list[TrueSpike] = []
    first = int(settings.quiet / timedelta(minutes=1))
    every = 7 * _DAY_MINUTES / settings.spikes_per_week if settings.spikes_per_week else np.inf
    for place in range(settings.series):
        at = first + random.exponential(every)
        while at < rates.shape[0] - 240:
            begin, length = int(at), int(math.exp(random.uniform(math.log(5), math.log(120.999))))
            ratio, ramp = SIZES[int(random.integers(len(SIZES)))], bool(random.random() < settings.ramps)
            shape = np.minimum(1.0, np.arange(1, length + 1) / (length / 2)) if ramp else np.ones(length)
            # The excess is a part of the rate that the series has at that time: at night a spike is smaller.
            more = rates[begin : begin + length, place] * (ratio - 1) * shape
            active[begin : begin + length, place] += more
            minute = timedelta(minutes=1)
            found.append(
                TrueSpike(
                    series=place,
                    begin=settings.start + begin * minute,
                    end=settings.start + (begin + length) * minute,
                    ratio=ratio,
                    excess=float(more.sum()),
                    ramp=ramp,
                )
            )
            at += max(720.0, random.exponential(every))
    return tuple(found)


def _counts(
    settings: SimulatorSettings, random: np.random.Generator, active: NDArray[np.float32]
) -> NDArray[np.uint16]:
    per_minute = timedelta(minutes=1) // settings.hop
    counts = np.empty((active.shape[0] * per_minute, active.shape[1]), dtype=np.uint16)
    again = timedelta(minutes=10) // settings.hop
    for place in range(active.shape[1]):
        rate = np.repeat(active[:, place].astype(np.float64) / per_minute, per_minute)
        column = random.poisson(rate)
        twice = random.binomial(column, settings.duplicates)
        sent = np.repeat(np.flatnonzero(twice), twice[twice > 0]) + random.integers(0, again, int(twice.sum()))
        np.add.at(column, np.minimum(sent, column.size - 1), 1)
        counts[:, place] = np.minimum(column, np.iinfo(np.uint16).max)
    return counts


def _present(settings: SimulatorSettings, random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """False where a source was away: ten minutes to two hours, for a third of the series each time."""
    present = np.ones(shape, dtype=np.bool_)
    per_minute = timedelta(minutes=1) // settings.hop
    for _ in range(random.poisson(settings.gaps_per_week * settings.days / 7)):
        begin = int(random.integers(0, shape[0]))
        length = int(random.integers(10, 120)) * per_minute
        away = random.random(shape[1]) < 1 / 3
        present[begin : begin + length, away] = False
    return present
