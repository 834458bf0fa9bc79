"""The life of an alert: opened, updated, resolved, with hysteresis, and what people's answers change.

Opening needs a high score, staying open only an unusual quarter of an hour: one spike makes one alert, not one for each
time that it dips.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.detector import NO_SPIKE_LIMIT, DetectorSettings, Scores, SilenceScores
from schemas.alerts import SpikeEvent, SpikeOpened, SpikeResolved, SpikeSize, SpikeUpdated

_ALERTS = uuid.UUID("5b7f0c52-93a4-5b0e-8f7c-2f6f1d0f4b11")
"""The name space of alert ids: fixed for ever."""

_DISMISSED_RAISES = 0.5
_ACKNOWLEDGED_LOWERS = 0.25
_HIGHEST_RAISE = 3.0
_RAISE_HALF_LIFE = timedelta(days=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """When alerts open, speak again and end.

    `threshold` is in decades, see `models.negative_binomial.threshold`. A spike ends where the shortest window was last
    `still_high` times what is expected.
    """

    threshold: float
    keep_open_above: float = NO_SPIKE_LIMIT
    still_high: float = 1.5
    resolve_after: timedelta = timedelta(minutes=10)
    update_every: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    alert_id: str
    onset: float
    detected_at: float
    last_hot: float
    told_at: float
    ended_at: float
    """The last moment at which the shortest window was high: longer ones still hold a spike that is over."""
    size: SpikeSize
    """Up to `ended_at`."""
    running: SpikeSize
    """Up to now."""


class AlertBook:
    """Follows the scores of all series and tells what began, goes on and ended.

    The id of an alert follows from its series and the moment that it opened, so that a replay opens the same alert.
    """

    def __init__(self, names: Sequence[str], settings: AlertSettings, detector: DetectorSettings) -> None:
        self._names = list(names)
        self._settings = settings
        self._windows = detector.windows
        self._resolve_after = max(settings.resolve_after, detector.hop).total_seconds()
        self._open: dict[int, _Open] = {}
        self._raised = np.zeros(len(self._names))
        self._muted_until = np.full(len(self._names), -np.inf)
        self._raised_at = 0.0
        self._last_end = np.full(len(self._names), -np.inf)

    @property
    def names(self) -> tuple[str, ...]:
        """The series by their places."""
        return tuple(self._names)

    def rename(self, place: int, series: str) -> None:
        """Give a place that was kept free to a series."""
        self._names[place] = series

    def hand_over(self, place: int, series: str) -> None:
        """Give the place of a series that has no open alert to another, of which nobody has answered anything."""
        assert place not in self._open  # noqa: S101  its alert would end under another name
        self._names[place] = series
        self._raised[place] = 0.0
        self._muted_until[place] = self._last_end[place] = -np.inf

    @property
    def open_alerts(self) -> dict[str, str]:
        """Alert id by series, of the alerts that are open."""
        return {self._names[at]: alert.alert_id for at, alert in sorted(self._open.items())}

    def advance(self, scores: Scores) -> list[SpikeEvent]:
        """What the scores of one hop change, in the order of series. The scores stay as they are."""
        events: list[SpikeEvent] = []
        self._forgive(scores.at)
        ready = (scores.score >= self._settings.threshold + self._raised) & ~scores.learning
        ready &= scores.short >= self._settings.keep_open_above
        for at in sorted({*np.flatnonzero(ready).tolist(), *self._open}):
            known = self._open.get(at)
            if known is None and self._is_echo(at, scores):
                continue
            events.extend(self._begin(at, scores) if known is None else self._go_on(at, known, scores))
        return events

    def pass_quietly(self, scores: SilenceScores) -> bool:
        """Whether the hops of a silence change nothing, and were taken in; else each is for `advance`."""
        if self._open or self._raised.any() or scores.score.max(initial=0.0) >= self._settings.threshold:
            return False
        self._raised_at = scores.ends[-1]
        return True

    def finish(self, at: float) -> list[SpikeEvent]:
        """Close what is open because there is no more to come."""
        events: list[SpikeEvent] = [
            replace(self._resolved(place, alert, at), still_open=True) for place, alert in sorted(self._open.items())
        ]
        self._open.clear()
        return events

    def acknowledge(self, series: str) -> None:
        """A person took the alert: what earlier dismissals raised is taken back in part."""
        place = self._names.index(series)
        self._raised[place] = max(0.0, self._raised[place] - _ACKNOWLEDGED_LOWERS)

    def dismiss(self, series: str) -> None:
        """A person called the alert noise: the series needs more to open the next one, less so as weeks pass."""
        place = self._names.index(series)
        self._raised[place] = min(_HIGHEST_RAISE, self._raised[place] + _DISMISSED_RAISES)

    def mute(self, series: str, until: datetime) -> None:
        """Nobody is to be paged for `series` before `until`. Its alerts open all the same: nothing is lost."""
        self._muted_until[self._names.index(series)] = until.timestamp()

    def muted_until(self, series: str, at: datetime) -> datetime | None:
        """When the mute of `series` ends; None where it is not muted at `at`."""
        until = float(self._muted_until[self._names.index(series)])
        return _moment(until) if until > at.timestamp() else None

    def threshold_of(self, series: str) -> float:
        """The score that opens an alert of `series` now."""
        return self._settings.threshold + float(self._raised[self._names.index(series)])

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """The whole state as arrays."""
        places = sorted(self._open)
        alerts = [self._open[place] for place in places]
        rows = [
            (a.onset, a.detected_at, a.last_hot, a.told_at, a.ended_at, *_numbers(a.size), *_numbers(a.running))
            for a in alerts
        ]
        return {
            "places": np.array(places, dtype=np.int64),
            "ids": np.array([alert.alert_id for alert in alerts], dtype="U36"),
            "alerts": np.array(rows, dtype=np.float64).reshape(len(rows), 11),
            "raised": self._raised.copy(),
            "muted_until": self._muted_until.copy(),
            "last_end": self._last_end.copy(),
            "raised_at": np.array([self._raised_at]),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a snapshot. Raises ValueError where it is of other series."""
        if state["raised"].shape != self._raised.shape:
            raise ValueError("the snapshot is of other series")
        self._raised = state["raised"].copy()
        self._muted_until = state["muted_until"].copy()
        self._last_end = state["last_end"].copy()
        self._raised_at = float(state["raised_at"][0])
        self._open = {}
        for place, alert_id, row in zip(state["places"], state["ids"], state["alerts"].tolist(), strict=True):
            onset, detected_at, last_hot, told_at, ended_at = row[:5]
            self._open[int(place)] = _Open(
                alert_id=str(alert_id),
                onset=onset,
                detected_at=detected_at,
                last_hot=last_hot,
                told_at=told_at,
                ended_at=ended_at,
                size=_size(row[5:8]),
                running=_size(row[8:]),
            )

    def _is_echo(self, place: int, scores: Scores) -> bool:
        """Whether a long window still holds the last spike, and the short ones alone would open nothing."""
        begins = scores.at - self._windows[int(scores.window[place])].total_seconds()
        echo = begins < self._last_end[place]
        return bool(echo and scores.short[place] < self._settings.threshold + self._raised[place])

    def _forgive(self, at: float) -> None:
        passed = timedelta(seconds=at - self._raised_at) if self._raised_at else timedelta(0)
        if self._raised.any():
            self._raised *= 0.5 ** (passed / _RAISE_HALF_LIFE)
        self._raised_at = at

    def _begin(self, place: int, scores: Scores) -> list[SpikeEvent]:
        window = self._windows[int(scores.window[place])]
        series, onset = self._names[place], scores.at - window.total_seconds()
        size = SpikeSize(
            observed=float(scores.observed[place]),
            expected=float(scores.expected[place]),
            score=float(scores.score[place]),
        )
        alert = _Open(
            alert_id=str(uuid.uuid5(_ALERTS, f"{series}\0{scores.at:.3f}")),
            onset=onset,
            detected_at=scores.at,
            last_hot=scores.at,
            told_at=scores.at,
            ended_at=scores.at,
            size=size,
            running=size,
        )
        self._open[place] = alert
        return [
            SpikeOpened(
                alert_id=alert.alert_id,
                series=series,
                onset=_moment(onset),
                detected_at=_moment(scores.at),
                window=window,
                size=size,
            )
        ]

    def _go_on(self, place: int, alert: _Open, scores: Scores) -> list[SpikeEvent]:
        hot = bool(scores.short[place] >= self._settings.keep_open_above)
        size = SpikeSize(
            observed=alert.running.observed + float(scores.hop_observed[place]),
            expected=alert.running.expected + float(scores.hop_expected[place]),
            score=max(alert.running.score, float(scores.score[place])),
        )
        alert = replace(alert, running=size)
        high = scores.now_observed[place] >= self._settings.still_high * scores.now_expected[place]
        if hot:
            alert = replace(alert, last_hot=scores.at)
            alert = replace(alert, ended_at=scores.at, size=size) if high else alert
        elif scores.at - alert.last_hot >= self._resolve_after:
            del self._open[place]
            self._last_end[place] = alert.ended_at
            return [self._resolved(place, alert, scores.at)]
        speaks = hot and scores.at - alert.told_at >= self._settings.update_every.total_seconds()
        self._open[place] = replace(alert, told_at=scores.at) if speaks else alert
        if not speaks:
            return []
        at = _moment(scores.at)
        return [SpikeUpdated(alert_id=alert.alert_id, series=self._names[place], at=at, size=size)]

    def _resolved(self, place: int, alert: _Open, at: float) -> SpikeResolved:
        return SpikeResolved(
            alert_id=alert.alert_id,
            series=self._names[place],
            onset=_moment(alert.onset),
            detected_at=_moment(alert.detected_at),
            ended_at=_moment(alert.ended_at),
            resolved_at=_moment(at),
            size=alert.size,
        )


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _numbers(size: SpikeSize) -> tuple[float, float, float]:
    return size.observed, size.expected, size.score


def _size(numbers: Sequence[float]) -> SpikeSize:
    observed, expected, score = numbers
    return SpikeSize(observed=observed, expected=expected, score=score)
