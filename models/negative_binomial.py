"""Spikes in many series of counts at once: negative-binomial tails of sliding windows against a weekly baseline.

Every hop, each series' counts over the last 1, 5, 15 and 60 minutes are held against what its baseline expects, a level
times a profile of the week. The score is how improbable so many would be, as -log10 of a negative-binomial tail
(Hilbe 2011, *Negative Binomial Regression*: mean mu, variance mu + a mu + b mu^2), made comparable between windows and
series. The baseline is shrunk (Efron and Morris 1975): a slot of the week towards its time of day, that towards the
parent series' profile. Both learn all the time and neither learns from what it has just called a spike. Activity
wanders about the baseline: a gamma filter follows it (West, Harrison and Migon 1985), with a variance and a time that
it lasts learned for each series, and each window is held against what was known before it began. The more of a variance
is activity, the more the tail is that of a log-normal.

One array operation serves all series; a thousand series cost little more than one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.detector import Counts, DetectorSettings, Flags, Floats, Scores, SilenceScores
from models.profiles import WeekProfiles, WeeksSeen, levels_of
from models.tails import improbability
from models.weeks import WEEK, WeekCalendar, slot_width

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_LEAST_MEAN = 1e-6
_PER_DECADE = 1 / math.log(10)
"""Mean excess of -log10(p) over any limit where p is as it should be."""

_WEEKLY_MEMORY = 0.75
_WEEKEND = timedelta(days=2)
_GRAIN = 2.0**-18  # with the upper limit of a profile, 24 bits: what a 32-bit float holds
_LEVEL_HALF_LIFE = timedelta(days=2)

# The variance mu + a mu + b mu^2: prior a and b, and how many windows they are worth.
_PRIOR_A, _PRIOR_B, _PRIOR_WINDOWS = 0.1, 0.01, 20.0
_LEAST_A, _B_LIMITS = 0.06, (0.005, 0.02)
"""Some tickets always come twice, and less is learned where doubts are stated too high; more than that b is spikes."""
_VARIANCE_HALF_LIFE = timedelta(days=14)
_RESIDUAL_LIMIT = 4.0
_WINSOR = 3.0

# Activity that wanders about the baseline: the prior of its variance and of how long it lasts, worth so many pairs of
# tickets in two buckets; the limits of both; and the two memories over which buckets are held against each other.
_SPREAD, _LASTS, _ACTIVITY_PRIOR = 0.07, _HOUR, 20_000.0
_SPREAD_LIMITS, _LASTS_LIMITS = (0.003, 0.5), (timedelta(minutes=5), timedelta(hours=6))
_MEMORIES = (timedelta(minutes=15), timedelta(hours=2))
_LEAST_COVARIANCE = 2e-3
_USUAL_SPREAD = 0.1
"""For weights alone: what a bucket of many tickets tells of activity is no more than that of some."""
_FILTER_LIMIT = 4.0
_WITHIN_AN_HOUR = 0.25
"""The part of the spread that counts where a young series is held against its last hour, which follows the rest."""

# No two holidays are alike: how far from a Sunday's rate one may be, as a squared relative error, when it begins.
_HOLIDAY_SPREAD = 0.5

_DRAWN_ANEW = 0.28
"""Decades off a score that is all chance for each decade of buckets that activity lasts: each draws chance anew."""

# Self-calibration: excesses over the limit, how many of them the prior is worth, and what one may count at most.
_CALIBRATED_FROM, _CALIBRATION_PRIOR, _CALIBRATION_CAP = 1.5, 200.0, 3.0
_CALIBRATION_FROM_A_SPIKE = 3
"""How many buckets of a spike count: some are chance."""


def threshold(series: int, false_alarms_per_week: float, bucket: timedelta = _MINUTE) -> float:
    """The score that `series` series together exceed by chance so many times a week.

    One series makes about 10^2.4 independent scores a week at most (measured on simulated series), and no more than
    it has buckets. Raises ValueError where either number is not positive.
    """
    if series <= 0 or false_alarms_per_week <= 0:
        raise ValueError("the number of series and the false alarms per week have to be positive")
    return min(2.4, math.log10(WEEK / bucket)) + math.log10(series / false_alarms_per_week)


class NegativeBinomialDetector:
    """The detector of this module for `series` series of one region.

    `parents` names the series that each one is a part of, by its place, or -1: a young series borrows the parent's
    profile. State is arrays alone; 20,000 series at hops of 10 s take about 9 KiB each.
    """

    def __init__(
        self,
        series: int,
        settings: DetectorSettings | None = None,
        calendar: WeekCalendar | None = None,
        parents: Sequence[int] | None = None,
    ) -> None:
        self._settings = settings = settings or DetectorSettings()
        self._calendar = calendar or WeekCalendar()
        self._hop_s = settings.hop.total_seconds()
        self._bucket_hops = settings.bucket // settings.hop
        self._window_hops = np.array([window // settings.hop for window in settings.windows])
        self._lag_hops = settings.local_lag // settings.hop
        self._local_hops = settings.local_span // settings.hop
        self._leaving = np.append(self._window_hops, self._lag_hops + self._local_hops)
        self._slots = max(1, WEEK // slot_width(settings.bucket))
        self._slot_s = WEEK.total_seconds() / self._slots
        self._penalties = np.array(settings.penalties)
        self._drawn_anew = _DRAWN_ANEW * math.log10(max(1.0, _LASTS / settings.bucket))
        self._memory_buckets = (self._lag_hops + self._local_hops) / self._bucket_hops
        # What is known of the activity before a window is from before the bucket in which it begins.
        self._window_buckets = [int(-(-hops // self._bucket_hops)) for hops in self._window_hops]
        self._into = 0.0 if self._bucket_hops == 1 else 0.5
        # Short memories of buckets that are long themselves hold nothing.
        self._scale = max(1.0, 2 * settings.bucket / _MEMORIES[0])
        self._memory_fades = np.array([[math.exp(-settings.bucket / (m * self._scale))] for m in _MEMORIES])
        self._level_fade = 0.5 ** (settings.bucket / max(_LEVEL_HALF_LIFE, 14 * settings.bucket))
        self._series = series
        self._state = self._fresh(self._series)
        width = timedelta(seconds=self._slot_s)
        self._profiles = WeekProfiles(self._slots, width, settings.bucket, _LASTS, levels_of(series, parents))
        self._smooth = self._slots > 1 and self._slot_s > settings.bucket.total_seconds()
        self._share = np.ones(series, dtype=np.float32)
        self._holiday = False
        self._derive()
        self._look_ahead()

    @property
    def settings(self) -> DetectorSettings:
        """How this detector cuts time."""
        return self._settings

    @property
    def series(self) -> int:
        """The number of series."""
        return self._series

    def _fresh(self, series: int) -> _State:
        past = max(self._window_buckets) + 2
        stay = self._stay(_LASTS)
        return _State.fresh(series, len(self._window_hops), self._ring_hops, self._slots, past, stay)

    def _stay(self, lasts: timedelta) -> float:
        """The part of an activity that is left after a bucket."""
        return math.exp(-self._settings.bucket / (lasts * self._scale))

    @property
    def _ring_hops(self) -> int:
        return int(max(self._window_hops.max(), self._lag_hops + self._local_hops)) + 1

    def observe(self, at: float, counts: Counts, present: Flags | None = None) -> Scores:
        """The scores after the hop that ends at `at`; see `Detector.observe`. Inputs stay as they are."""
        state = self._state
        taken = np.asarray(counts, dtype=np.float32)  # as the ring keeps them, so that what goes in comes out
        if taken.shape != (self.series,):
            raise ValueError(f"{taken.shape} counts for {self.series} series")
        self._catch_up(at)
        if present is None:
            seen = np.ones(self.series, dtype=np.bool_)
        else:
            seen = np.asarray(present, dtype=np.bool_)
            taken = np.where(seen, taken, np.float32(0))
        self._push(at, taken, seen)
        level = self._level()
        found = self._score(state.sums[None], state.shares[None], seen, level[None])
        if int(state.hops[0]) % self._bucket_hops == 0:
            self._learn(level)
        return Scores(at=at, hop_observed=taken.astype(np.float64), **{name: one[0] for name, one in found.items()})

    def observe_silence(self, at: float, hops: int, present: Flags) -> SilenceScores:
        """The scores after each of the next hops, all without a ticket: to the bit those of so many calls of `observe`.

        The first ends at `at`. As many of the `hops` are taken as there are left of the bucket, and at least one.
        Raises ValueError where `at` does not follow the last.
        """
        state = self._state
        self._catch_up(at)
        taken = min(hops, self._bucket_hops - int(state.hops[0]) % self._bucket_hops)
        ends = tuple(at + hop * self._hop_s for hop in range(taken))
        sums, shares = self._push_silence(ends, present)
        level = self._level(sums[:, -1], shares[:, -1])
        found = self._score(sums, shares, present, level)
        if int(state.hops[0]) % self._bucket_hops == 0:
            self._learn(level[-1])
        learning = found.pop("learning")[0]
        return SilenceScores(ends=ends, learning=learning, **found)

    def warm_start(self, starts: Sequence[float], width: timedelta, counts: Floats) -> None:
        """Learn level and profile from history before the first hop.

        `counts` is (times, series): what fell into the `width` from each of `starts`, in seconds since 1970; NaN where
        nothing is known. `width` is at least a bucket and at most a slot of the week. Raises ValueError where it is
        not, or hops were seen already.
        """
        state, settings = self._state, self._settings
        if state.hops[0]:
            raise ValueError("a detector that has seen hops is no longer cold: warm it first")
        if not settings.bucket <= width <= timedelta(seconds=self._slot_s):
            raise ValueError(f"history per {width} does not fit between buckets and slots of the week")
        buckets = width / settings.bucket
        for start, row in zip(starts, np.asarray(counts, dtype=np.float64), strict=True):
            self._enter_bucket(start + width.total_seconds() / 2)
            seen = ~np.isnan(row)
            share = np.where(seen, self._share * self._bucket_hops * buckets, 0.0)
            tickets = np.where(seen, row, 0.0)
            state.seen_buckets += seen * buckets
            state.age += np.where(seen & ((state.age > 0) | (tickets > 0)), buckets, 0.0)
            if not self._holiday:
                self._learn_level(self._level(), tickets, share, seen, buckets)

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """A copy of the whole state; see `Detector.snapshot`."""
        return {field.name: getattr(self._state, field.name).copy() for field in fields(self._state)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `state`; see `Detector.restore`."""
        fresh = self._fresh(self._series)
        for field in fields(fresh):
            wanted = getattr(fresh, field.name)
            found = state.get(field.name)
            if found is None or found.shape != wanted.shape:
                raise ValueError(f"the snapshot's {field.name} is of other series or settings")
            setattr(fresh, field.name, found.astype(wanted.dtype, copy=True))
        self._state = fresh
        self._derive()
        if fresh.hops[0] % self._bucket_hops:
            self._enter_bucket(self._middle(float(fresh.clock[0])))

    def forget(self, place: int) -> None:
        """Begin anew with one series: its place is another's now."""
        state, fresh = self._state, self._fresh(1)
        for field in fields(fresh):
            if field.name not in ("clock", "hops", "slot"):  # of all series together
                getattr(state, field.name)[..., place] = getattr(fresh, field.name)[..., 0]
        if state.slot[0] >= 0:
            spread, stay = self._solved_activity()
            state.spread[place], state.stay[place] = spread[place], stay[place]
            for row, near in enumerate(self._looked_up(int(state.slot[0]))):
                profile, doubt = self._profile(near)
                state.profile[row, place] = profile[place]
                if not row:
                    state.doubt[place] = doubt[place]
        self._derive()
        if state.hops[0] % self._bucket_hops:
            self._enter_bucket(self._middle(float(state.clock[0])))

    def _catch_up(self, at: float) -> None:
        """Let the hops pass that nobody told of; a long silence empties the windows at once."""
        state = self._state
        if not state.hops[0]:
            state.clock[0] = at
            return
        missed = round((at - state.clock[0]) / self._hop_s) - 1
        if missed < 0 or abs(at - state.clock[0] - (missed + 1) * self._hop_s) > self._hop_s / 1000:
            raise ValueError(f"{at} does not follow {state.clock[0]} by whole hops of {self._settings.hop}")
        # All that is followed is forgotten by then, see `_follow`.
        if missed > 2 * self._ring_hops:
            state.ring[:] = 0
            state.ring_share[:] = 0
            state.sums[:] = 0
            state.shares[:] = 0
            state.frozen.fill(0)
            self._forget_activity(np.ones(self.series, dtype=np.bool_), state.spread)
            # Whole buckets pass, so that buckets go on where they were.
            skipped = missed - missed % self._bucket_hops
            state.hops[0] += skipped
            state.clock[0] += skipped * self._hop_s
            missed -= skipped
            self._enter_bucket(self._middle(float(state.clock[0])))
        nobody = np.zeros(self.series, dtype=np.float32)
        unseen = np.zeros(self.series, dtype=np.bool_)
        for left in range(missed, 0, -1):
            self._push(at - left * self._hop_s, nobody, unseen)
            if int(state.hops[0]) % self._bucket_hops == 0:
                self._learn(self._level())

    def _push(self, at: float, counts: NDArray[np.float32], seen: Flags) -> None:
        """Put one hop into the windows. What was not seen is not expected either."""
        state = self._state
        tick = int(state.hops[0])
        if tick % self._bucket_hops == 0 or tick == 0:
            self._enter_bucket(self._middle(at - self._hop_s))
        share = np.where(seen, self._share, np.float32(0))
        ring, ring_share, length = state.ring, state.ring_share, self._ring_hops
        for place, hops in enumerate(self._window_hops):
            out = (tick - int(hops)) % length
            state.sums[place] += counts
            state.sums[place] -= ring[out]
            state.shares[place] += share
            state.shares[place] -= ring_share[out]
        out, into = (tick - self._lag_hops - self._local_hops) % length, (tick - self._lag_hops) % length
        state.sums[-1] += ring[into]
        state.sums[-1] -= ring[out]
        state.shares[-1] += ring_share[into]
        state.shares[-1] -= ring_share[out]
        ring[tick % length] = counts
        ring_share[tick % length] = share
        state.bucket_tickets += counts
        state.bucket_share += share
        state.hops[0] += 1
        state.clock[0] = at

    def _push_silence(self, ends: Sequence[float], seen: Flags) -> tuple[Floats, Floats]:
        """Put hops without a ticket into the windows; what these hold after each: (hops, windows, series).

        Sums of tickets and of grains are exact, so that their order does not matter. No window is shorter than a
        bucket: what leaves it has come before these hops.
        """
        state, length = self._state, self._ring_hops
        tick, hops = int(state.hops[0]), len(ends)
        if tick % self._bucket_hops == 0 or tick == 0:
            self._enter_bucket(self._middle(ends[0] - self._hop_s))
        share = np.where(seen, self._share, np.float32(0))
        steps = np.arange(tick, tick + hops)
        leaving = (steps[:, None] - self._leaving) % length
        entering = (steps - self._lag_hops) % length
        gone, gone_share = state.ring[leaving], state.ring_share[leaving]
        gone[:, -1] -= state.ring[entering]
        gone_share[:, -1] -= state.ring_share[entering]
        gone_share[:, :-1] -= share
        sums, shares = np.empty(gone.shape), np.empty(gone.shape)
        before, before_share = state.sums, state.shares
        for hop in range(hops):
            before = np.subtract(before, gone[hop], out=sums[hop])
            before_share = np.subtract(before_share, gone_share[hop], out=shares[hop])
        state.ring[steps % length] = 0
        state.ring_share[steps % length] = share
        state.sums[:], state.shares[:] = sums[-1], shares[-1]
        state.bucket_share += float(hops) * share.astype(np.float64)
        state.hops[0] += hops
        state.clock[0] = ends[-1]
        return sums, shares

    def _middle(self, clock: float) -> float:
        """The middle of the bucket in which the hops stand at `clock`."""
        into = int(self._state.hops[0]) % self._bucket_hops
        return clock - into * self._hop_s + self._settings.bucket.total_seconds() / 2

    def _enter_bucket(self, middle: float) -> None:
        """Look up the profile for the bucket around `middle`: what part of the level one hop expects."""
        state = self._state
        seconds, self._holiday = self._calendar.place(middle)
        place = seconds / self._slot_s
        slot = int(place) % self._slots
        if slot != int(state.slot[0]):
            state.slot[0] = slot
            a, b = _solve(state.moments)
            state.variance_a, state.variance_b = np.maximum(a, _LEAST_A), np.clip(b, *_B_LIMITS)
            state.spread, state.stay = self._solved_activity()
            self._derive()
            for row, near in enumerate(self._looked_up(slot)):
                state.profile[row], doubt = self._profile(near)
                if not row:
                    state.doubt = doubt
        value = state.profile[0]
        if self._smooth:
            part = place - int(place) - 0.5
            value = value + abs(part) * (state.profile[1 if part < 0 else 2] - value)
        # Whole grains, so that sums over windows are exact however many hops come and go.
        self._share = (np.rint(value / (self._bucket_hops * _GRAIN)) * _GRAIN).astype(np.float32)
        self._look_ahead()

    def _solved_activity(self) -> tuple[Floats, Floats]:
        """How much activity wanders (spread) and how long it lasts (stay), from covariances over the two memories.

        Where the covariance of buckets falls as stay^lag, its mean over a memory that falls as fade^lag is spread
        stay (1 - fade) / (1 - fade stay): two of them have one solution.
        """
        state, fades = self._state, self._memory_fades
        prior_stay = self._stay(_LASTS)
        prior = _SPREAD * prior_stay * (1 - fades) / (1 - fades * prior_stay)
        weight = _ACTIVITY_PRIOR * np.array([[memory / _MEMORIES[0]] for memory in _MEMORIES])
        covariances: Floats = (state.products + weight * prior) / (state.product_weights + weight)
        far: Floats = np.maximum(covariances[1], _LEAST_COVARIANCE)
        near: Floats = np.maximum(covariances[0], far)
        fade, long_fade = float(fades[0, 0]), float(fades[1, 0])
        part = near * (1 - long_fade) / (far * (1 - fade))
        shortest, longest = (self._stay(limit) for limit in _LASTS_LIMITS)
        stay: Floats = np.clip((1 - part) / np.maximum(long_fade - part * fade, 1e-9), shortest, longest)
        spread: Floats = np.clip(near * (1 - fade * stay) / (stay * (1 - fade)), *_SPREAD_LIMITS)
        return spread, stay

    def _derive(self) -> None:
        """What lasts of an activity on average over a window, and the variance that comes afresh in it.

        In a slot of a weekend also what workdays have at that time.
        """
        stay, slot = self._state.stay, int(self._state.slot[0])
        if self._profiles.is_weekend(slot):
            self._workdays = self._profiles.workdays(slot, self._seen())
        away = 1 - stay
        lasting: list[Floats] = []
        fresh: list[Floats] = []
        for buckets in self._window_buckets:
            left = stay**buckets
            lasts = stay * (1 - left) / (buckets * away)
            both = (buckets * (1 + stay) - 2 * stay * (1 - left) / away) / (away * buckets**2)
            lasts = lasts * stay**self._into
            lasting.append(lasts)
            fresh.append(np.maximum(both - lasts * lasts, 0.0))
        self._lasting, self._afresh = np.array(lasting), self._state.spread * np.array(fresh)

    def _look_ahead(self) -> None:
        """The activity that windows which end in this bucket expect, and its squared relative error.

        Each is told by what came before it; a young series is held against its last hour instead.
        """
        state = self._state
        done = int(state.hops[0]) // self._bucket_hops
        rows = [(done - buckets + (self._bucket_hops == 1)) % len(state.past) for buckets in self._window_buckets]
        cold = self._cold()
        # In place: with many series, arrays that come and go cost more than the arithmetic.
        activity = np.where(cold, 1.0, state.past[rows])
        unsure = np.where(cold, _WITHIN_AN_HOUR * state.spread, state.past_doubt[rows])
        if self._holiday:  # what wanders is a part of what this day is like
            unsure /= activity * activity
            unsure += self._afresh
        else:
            activity -= 1
            activity *= self._lasting
            activity += 1
            unsure *= self._lasting
            unsure *= self._lasting
            unsure += self._afresh
            unsure /= activity * activity
        unsure += np.where(cold, self._level_doubt(), state.doubt)
        self._activity, self._unsure = activity, unsure

    def _level_doubt(self) -> Floats:
        """The squared relative error of the baseline, as far as the number of tickets that it rests on tells."""
        return 1 / np.maximum(self._state.level_tickets, 0.5) + self._state.doubt

    def _cold(self) -> Flags:
        """Whether a series has no baseline yet that its activity could be held against."""
        state, settings = self._state, self._settings
        return (state.age < settings.cold_for / settings.bucket) | (state.shifted > 0)

    def _looked_up(self, slot: int) -> tuple[int, ...]:
        """The slots whose profile a bucket in `slot` lies between, its own first."""
        return (slot, (slot - 1) % self._slots, (slot + 1) % self._slots) if self._smooth else (slot,)

    def _profile(self, slot: int) -> tuple[Floats, Floats]:
        """The profile of a slot of the week and its doubt; see `WeekProfiles.of`."""
        return self._profiles.of(slot, self._seen(), self._state.spread * self._long_level())

    def _seen(self) -> WeeksSeen:
        state = self._state
        return WeeksSeen(
            tickets=state.slot_tickets,
            expected=state.slot_expected,
            weekend_tickets=state.weekend_tickets,
            weekend_expected=state.weekend_expected,
        )

    def _long_level(self) -> Floats:
        """Tickets per bucket at a profile of 1, over the last days."""
        return (self._state.level_tickets + 0.5) / np.maximum(self._state.level_share, 1.0)

    def _local(self, sums: Floats | None = None, shares: Floats | None = None) -> tuple[Floats, Flags]:
        """The level that the last hour's rate tells, and whether enough of that hour was seen; `sums` are now's."""
        tickets: Floats = self._state.sums[-1] if sums is None else sums
        seen: Floats = self._state.shares[-1] if shares is None else shares
        local: Floats = tickets / np.maximum(seen, 1e-9)
        return local, seen > 0.25 * self._local_hops * self._share

    def _level(self, sums: Floats | None = None, shares: Floats | None = None) -> Floats:
        """Tickets per bucket at a profile of 1; the last hour's rate where the level cannot be trusted yet.

        `sums` and `shares` are what the lagged hour holds: now, or after each of some hops.
        """
        state = self._state
        level = self._long_level()
        local, trusted = self._local(sums, shares)
        # While a spike is on, the last hour is what it was before: else it would soon be its own baseline.
        held = (state.frozen > 0) & (state.frozen <= self._settings.freeze_for / self._settings.bucket)
        local = np.where(held, state.local, local)
        return np.where(self._cold() & (trusted | held), np.maximum(level, local), level)

    def _learning(self) -> Flags:
        """Whether a series is too new: nothing that its baseline says means much yet."""
        return self._state.seen_buckets < self._settings.warm_up / self._settings.bucket

    def _score(self, sums: Floats, shares: Floats, seen: Flags, level: Floats) -> dict[str, Any]:
        """The arrays of `Scores` after each of some hops of one bucket: (hops, series).

        `sums` and `shares` are what the windows hold after each, (hops, windows, series).
        """
        state, settings = self._state, self._settings
        score, short = np.zeros(level.shape), np.zeros(level.shape)
        best = np.zeros(level.shape, dtype=np.int64)
        active = level * self._activity[0]
        now_observed = sums[:, 0].copy()
        now_expected = active * shares[:, 0]
        observed, expected = now_observed.copy(), now_expected.copy()
        at_hop, at_window, at_series = np.nonzero(sums[:, :-1] >= settings.min_count)
        if at_hop.size:
            x = sums[at_hop, at_window, at_series]
            mean = level[at_hop, at_series] * shares[at_hop, at_window, at_series]
            mean = np.maximum(mean * self._activity[at_window, at_series], _LEAST_MEAN)
            notable = x >= settings.min_ratio * mean
            if notable.any():
                at_hop, at_window, at_series = at_hop[notable], at_window[notable], at_series[notable]
                x, mean = x[notable], mean[notable]
                tail = self._calibrated(at_window, at_series, x, mean)
                # The best window last, so that it is the one that stays.
                order = np.argsort(tail, kind="stable")
                winners = at_hop[order], at_series[order]
                score[winners] = tail[order]
                best[winners], observed[winners], expected[winners] = at_window[order], x[order], mean[order]
                order = order[at_window[order] < settings.short_windows]
                short[at_hop[order], at_series[order]] = tail[order]
                state.bucket_peak = np.maximum(state.bucket_peak, score.max(axis=0))
        return {
            "score": score,
            "short": short,
            "window": best,
            "observed": observed,
            "expected": expected,
            "hop_expected": np.where(seen, active * self._share, 0.0),
            "now_observed": now_observed,
            "now_expected": now_expected,
            "learning": self._learning()[None],
        }

    def _calibrated(
        self, at_window: NDArray[np.int64], at_series: NDArray[np.int64], observed: Floats, mean: Floats
    ) -> Floats:
        """Scores of some windows of some series, each series' scale stretched to what its chance scores are."""
        state = self._state
        clumping = state.variance_a[at_window, at_series]
        dispersion = state.variance_b[at_window, at_series] + self._unsure[at_window, at_series]
        tail = improbability(observed, mean, clumping, dispersion)
        chance = 1 / (1 + clumping + dispersion * mean)
        tail = np.maximum(tail - self._penalties[at_window] - self._drawn_anew * chance, 0.0)
        excess = np.maximum((state.excess_sum / state.excess_count)[at_series], _PER_DECADE)
        over = np.maximum(tail - _CALIBRATED_FROM, 0.0)
        return np.minimum(tail, _CALIBRATED_FROM) + over * _PER_DECADE / excess

    def _learn(self, level: Floats) -> None:
        """Learn from the bucket that has just ended, but not from spikes and holidays."""
        state, settings = self._state, self._settings
        tickets, share = state.bucket_tickets, state.bucket_share
        seen = share > 0
        hot = (state.bucket_peak > settings.freeze_above) & ~self._learning()
        allowed = settings.freeze_for / settings.bucket
        frozen = hot & (state.frozen < allowed)
        # What stays high for longer than the freeze is a new level: for a day the last hour's rate speaks for it.
        state.shifted = np.where(
            hot & (state.frozen >= allowed), _DAY / settings.bucket, np.maximum(state.shifted - seen, 0)
        )
        state.frozen = np.where(hot, state.frozen + 1, 0.0)
        local, trusted = self._local()
        state.local = np.where(hot, state.local, np.where(trusted, local, 0.0))
        # It was no new level where that rate is as usual again.
        usual = trusted & ~hot & (local < settings.min_ratio * self._long_level())
        state.shifted = np.where(usual, 0.0, state.shifted)
        state.seen_buckets += seen
        state.age += seen & ((state.age > 0) | (tickets > 0))
        lesson = seen & ~frozen
        if not self._holiday and lesson.any():
            self._learn_variance(level, lesson)
            self._learn_level(level, tickets, share, lesson)
        self._follow(hot, frozen, tickets, share, lesson)
        # Chance is what is to be known: the beginning of a spike may be, the rest and what windows hold of it is not.
        ordinary = (state.calm > self._memory_buckets) | (
            (state.frozen > 0) & (state.frozen <= _CALIBRATION_FROM_A_SPIKE)
        )
        over = np.where(seen & ordinary & (state.bucket_peak > _CALIBRATED_FROM), float(not self._holiday), 0.0)
        fade = 0.5 ** (settings.bucket / _VARIANCE_HALF_LIFE)
        capped = np.minimum(state.bucket_peak - _CALIBRATED_FROM, _CALIBRATION_CAP)
        fade = np.where(seen, fade, 1.0)
        state.excess_count = _CALIBRATION_PRIOR + (state.excess_count - _CALIBRATION_PRIOR) * fade + over
        prior = _CALIBRATION_PRIOR * _PER_DECADE
        state.excess_sum = prior + (state.excess_sum - prior) * fade + over * capped
        for done in (state.bucket_tickets, state.bucket_share, state.bucket_peak):
            done.fill(0)

    def _follow(self, hot: Flags, frozen: Flags, tickets: Floats, share: Floats, lesson: Flags) -> None:
        """How active a series is: a gamma filter of the counts over the baseline.

        West, Harrison and Migon 1985, *Dynamic Generalized Linear Models and Bayesian Forecasting*: the gamma
        posterior of an activity that returns to 1, whose variance is `spread` and of which `stay` lasts for a bucket.
        """
        state, settings = self._state, self._settings
        _, holiday = self._calendar.place(float(state.clock[0]) + settings.bucket.total_seconds() / 2)
        turns = holiday != self._holiday
        state.calm = np.where(hot | turns, 0.0, state.calm + 1)
        mean = self._long_level() * share
        # The profile of the first days is no baseline: what goes over and below it together would all be activity.
        known = lesson & (state.age >= settings.cold_for / settings.bucket / 2)
        if not self._holiday and known.any():
            self._learn_activity(mean, tickets, known)
        stay, spread = state.stay, state.spread
        if self._holiday:  # it goes on as it is, and does not return to a Sunday's
            active = state.active
            doubt = state.active_doubt + spread * (1 - stay * stay) * active * active
        else:
            active = 1 + (state.active - 1) * stay
            doubt = state.active_doubt * stay * stay + spread * (1 - stay * stay)
        clumps = 1 + state.variance_a[0]
        expected = active * mean
        limit = expected + _FILTER_LIMIT * np.sqrt(expected * clumps + doubt * mean * mean) + 1
        unseen = frozen | self._learning()
        mean = np.where(unseen, 0.0, mean)
        taken = np.where(unseen, 0.0, np.minimum(tickets, limit))
        rate = active / doubt + mean / clumps
        state.active = (active * active / doubt + taken / clumps) / rate
        state.active_doubt = state.active / rate
        if turns:
            self._forget_activity(np.ones(self.series, dtype=np.bool_), np.maximum(spread, _HOLIDAY_SPREAD))
        else:
            away: Flags = np.all(state.shares <= 0, axis=0)
            if away.any():
                self._forget_activity(away, spread)
        at = int(state.hops[0]) // self._bucket_hops % len(state.past)
        state.past[at], state.past_doubt[at] = state.active, state.active_doubt

    def _forget_activity(self, of: Flags, doubt: Floats) -> None:
        state = self._state
        state.active, state.active_doubt = np.where(of, 1.0, state.active), np.where(of, doubt, state.active_doubt)
        state.past[:, of] = 1
        state.past_doubt[:, of] = doubt[of]

    def _learn_activity(self, mean: Floats, tickets: Floats, lesson: Flags) -> None:
        """How far buckets over or below the baseline go with those before them, over two memories."""
        state = self._state
        a = state.variance_a[0]
        use = lesson & (mean > 0)
        variance = mean * (1 + a + _USUAL_SPREAD * mean)
        limit = _RESIDUAL_LIMIT * np.sqrt(variance)
        weight = np.where(use, mean * mean / np.maximum(variance, 1e-12), 0.0)
        off = np.where(use, np.clip(tickets - mean, -limit, limit) * mean / np.maximum(variance, 1e-12), 0.0)
        fade = np.where(use, 0.5 ** (self._settings.bucket / _VARIANCE_HALF_LIFE), 1.0)
        state.residuals *= self._memory_fades
        state.weights *= self._memory_fades
        state.products = state.products * fade + off * state.residuals
        state.product_weights = state.product_weights * fade + weight * state.weights
        state.residuals += off
        state.weights += weight

    def _learn_level(self, level: Floats, tickets: Floats, share: Floats, lesson: Flags, buckets: float = 1.0) -> None:
        """Take the tickets of so many `buckets` into level and profile, those beyond three deviations cut off."""
        state, settings = self._state, self._settings
        mean, long_level = level * share, self._long_level()
        unsure = 1 / np.maximum(state.level_tickets, 0.5) + state.doubt
        variance = mean * (1 + state.variance_a[0] + (state.variance_b[0] + unsure) * mean)
        limit = np.where(self._learning(), np.inf, mean + _WINSOR * np.sqrt(variance) + 1)
        taken = np.where(lesson, np.minimum(tickets, limit), 0.0)
        share = np.where(lesson, share, 0.0)
        fade = np.where(lesson, self._level_fade**buckets, 1.0)
        state.level_tickets = state.level_tickets * fade + taken
        state.level_share = state.level_share * fade + share
        slot = int(state.slot[0])
        # Each visit of a slot, once a week, forgets a quarter of those before.
        memory = np.where(
            lesson, _WEEKLY_MEMORY ** min(1.0, buckets * self._bucket_hops * self._hop_s / self._slot_s), 1
        )
        state.slot_tickets[slot] *= memory
        state.slot_expected[slot] *= memory
        # The share of the bucket that was seen, as a part of the bucket rather than of its expectation.
        part = share / np.maximum(self._share * self._bucket_hops, 1e-9)
        known = ~self._learning()
        state.slot_tickets[slot] += np.where(known, taken, 0.0)
        # Against the level of days: that of the last hour would take the rise of a morning for its own.
        expected = np.where(known, long_level * part, 0.0)
        state.slot_expected[slot] += expected
        if self._profiles.is_weekend(slot):
            memory = np.where(lesson, _WEEKLY_MEMORY ** (buckets * settings.bucket / _WEEKEND), 1)
            state.weekend_tickets = state.weekend_tickets * memory + np.where(known, taken, 0.0)
            state.weekend_expected = state.weekend_expected * memory + expected * self._workdays

    def _learn_variance(self, level: Floats, lesson: Flags) -> None:
        """Weighted least squares of squared residuals on mu and mu^2, window by window, each time one is full."""
        state, settings = self._state, self._settings
        buckets = int(state.hops[0]) // self._bucket_hops
        known = lesson & ~self._learning()
        for place, hops in enumerate(self._window_hops):
            each = int(hops) // self._bucket_hops
            if buckets % max(each, 1):
                continue
            mean = level * state.shares[place]
            use = known & (mean > 0)
            a, b = state.variance_a[place], state.variance_b[place]
            mean = mean * self._activity[place]
            known_part = self._unsure[place] * mean * mean
            spread = np.sqrt(mean * (1 + a + b * mean) + known_part) + 1e-9
            off = np.clip(state.sums[place] - mean, -_RESIDUAL_LIMIT * spread, _RESIDUAL_LIMIT * spread)
            weight = np.where(use, 1 / (mean + 0.5) ** 2, 0.0)
            surplus = off * off - mean - known_part
            fade = 0.5 ** (each * settings.bucket / _VARIANCE_HALF_LIFE)
            moments = state.moments[place]
            moments *= np.where(use, fade, 1.0)
            for row, term in enumerate((mean**2, mean**3, mean**4, mean * surplus, mean**2 * surplus)):
                moments[row] += weight * term
            moments[5] += use


@dataclass(slots=True, kw_only=True)
class _State:
    """All that a detector knows. The last row of `sums` and `shares` is the lagged hour."""

    clock: Floats
    hops: NDArray[np.int64]
    slot: NDArray[np.int64]
    ring: NDArray[np.float32]
    ring_share: NDArray[np.float32]
    sums: Floats
    shares: Floats
    bucket_tickets: Floats
    bucket_share: Floats
    bucket_peak: Floats
    level_tickets: Floats
    level_share: Floats
    slot_tickets: NDArray[np.float32]
    slot_expected: NDArray[np.float32]
    weekend_tickets: Floats
    weekend_expected: Floats
    profile: Floats
    doubt: Floats
    moments: Floats
    variance_a: Floats
    variance_b: Floats
    excess_count: Floats
    excess_sum: Floats
    seen_buckets: Floats
    age: Floats
    frozen: Floats
    local: Floats
    shifted: Floats
    calm: Floats
    spread: Floats
    stay: Floats
    active: Floats
    active_doubt: Floats
    past: NDArray[np.float32]
    past_doubt: NDArray[np.float32]
    residuals: Floats
    weights: Floats
    products: Floats
    product_weights: Floats

    @classmethod
    def fresh(cls, series: int, windows: int, ring: int, slots: int, past: int, stay: float) -> _State:
        def zeros(*before: int) -> Floats:
            return np.zeros((*before, series))

        return cls(
            clock=np.zeros(1),
            hops=np.zeros(1, dtype=np.int64),
            slot=np.full(1, -1, dtype=np.int64),
            ring=np.zeros((ring, series), dtype=np.float32),
            ring_share=np.zeros((ring, series), dtype=np.float32),
            sums=zeros(windows + 1),
            shares=zeros(windows + 1),
            bucket_tickets=zeros(),
            bucket_share=zeros(),
            bucket_peak=zeros(),
            level_tickets=zeros(),
            level_share=zeros(),
            slot_tickets=np.zeros((slots, series), dtype=np.float32),
            slot_expected=np.zeros((slots, series), dtype=np.float32),
            weekend_tickets=zeros(),
            weekend_expected=zeros(),
            profile=np.ones((3, series)),
            doubt=np.ones(series),
            moments=zeros(windows, 6),
            variance_a=np.full((windows, series), _PRIOR_A),
            variance_b=np.full((windows, series), _PRIOR_B),
            excess_count=np.full(series, _CALIBRATION_PRIOR),
            excess_sum=np.full(series, _CALIBRATION_PRIOR * _PER_DECADE),
            seen_buckets=zeros(),
            age=zeros(),
            frozen=zeros(),
            local=zeros(),
            shifted=zeros(),
            calm=zeros(),
            spread=np.full(series, _SPREAD),
            stay=np.full(series, stay),
            active=np.ones(series),
            active_doubt=np.full(series, _SPREAD),
            past=np.ones((past, series), dtype=np.float32),
            past_doubt=np.full((past, series), _SPREAD, dtype=np.float32),
            residuals=zeros(len(_MEMORIES)),
            weights=zeros(len(_MEMORIES)),
            products=zeros(len(_MEMORIES)),
            product_weights=zeros(len(_MEMORIES)),
        )


def _solve(moments: Floats) -> tuple[Floats, Floats]:
    """Non-negative a and b of the variance from the moments of its regression, each (windows, series).

    The prior weighs as much as _PRIOR_WINDOWS windows like the mean of those seen.
    """
    m2, m3, m4, r1, r2, seen = (moments[:, row] for row in range(6))
    share = _PRIOR_WINDOWS / np.maximum(seen, 1.0)
    ridge_a, ridge_b = m2 * share + 1e-9, m4 * share + 1e-9
    s11, s22 = m2 + ridge_a, m4 + ridge_b
    t1, t2 = r1 + ridge_a * _PRIOR_A, r2 + ridge_b * _PRIOR_B
    determinant = np.maximum(s11 * s22 - m3 * m3, 1e-30)
    only_a: Floats = np.maximum(t1 / s11, 0.0)
    only_b: Floats = np.maximum(t2 / s22, 0.0)
    both_a, both_b = (t1 * s22 - t2 * m3) / determinant, (t2 * s11 - t1 * m3) / determinant
    no_b, no_a = both_b < 0, both_a < 0
    a: Floats = np.where(no_b, only_a, np.where(no_a, 0.0, both_a))
    b: Floats = np.where(no_b, 0.0, np.where(no_a, only_b, both_b))
    return a, b
