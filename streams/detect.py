"""`triage detect`: the stream's detector over a file of counts or events."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from rich.progress import Progress

from models import novelty
from models.alerts import AlertBook, AlertSettings
from models.detector import Detector, DetectorSettings
from models.negative_binomial import NegativeBinomialDetector, threshold
from models.novelty import LeakyPeakDetector, NoveltySettings
from models.seasonal import SeasonalDetector
from models.weeks import WeekCalendar
from schemas.alerts import SpikeEvent, SpikeOpened, SpikeResolved
from schemas.errors import BadSettings
from streams.series import Grid, Rows, grid_of, read_rows, spacing_of
from streams.series_options import FALSE_ALARMS_PER_WEEK, DetectOptions, Method, Reading

_MINUTE = timedelta(minutes=1)
_FINE_HOP = timedelta(seconds=10)
_FINE_UNTIL = timedelta(days=3)
"""Files of events up to this long are scored every 10 s as the stream is, longer ones every minute."""

_TRIAL_SHARE, _TRIAL_LEAST, _TRIAL_MOST = 0.15, timedelta(days=3), timedelta(days=14)
_BURSTS_PER_WEEK = 1.5
"""How often a series' score passes the threshold where bursts are its ordinary: thirty times what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A detector, its alerts and the counts that they are to see."""

    grid: Grid
    detector: Detector
    book: AlertBook
    threshold: float
    method: Method

    @classmethod
    def of(cls, rows: Rows, options: DetectOptions) -> Run:
        """What detects in `rows`. Raises BadFile where they hold too little, ValueError for a hop that does not fit."""
        hop = options.hop or (spacing_of(rows) if rows.counted else _hop_of_events(rows))
        grid = grid_of(rows, hop=hop, missing=options.missing, most_series=options.max_series, with_total=True)
        fine = hop < _MINUTE and not _MINUTE % hop
        settings = DetectorSettings(hop=hop) if fine else DetectorSettings.for_spacing(hop)
        settings = replace(settings, min_count=options.min_count, min_ratio=options.min_ratio)
        calendar = WeekCalendar(options.zone, options.holidays)
        if options.method is not Method.AUTO:
            return cls._by(options.method, grid, settings, calendar, options)
        usual = cls._by(Method.NEGATIVE_BINOMIAL, grid, settings, calendar, options)
        # What is asked for in decades, or in false alarms, only the stream's detector knows.
        free = options.score is None and options.false_alarms_per_week is None
        if not (rows.counted and free):
            return usual
        method = Method.NOVELTY if usual.is_for_bursts() else Method.NEGATIVE_BINOMIAL
        return cls._by(method, grid, settings, calendar, options)

    @classmethod
    def _by(
        cls, method: Method, grid: Grid, settings: DetectorSettings, calendar: WeekCalendar, options: DetectOptions
    ) -> Run:
        series = len(grid.names)
        limit = options.score
        if limit is None and method is Method.NOVELTY:
            limit = novelty.THRESHOLD
        elif limit is None:
            allowed = options.false_alarms_per_week or FALSE_ALARMS_PER_WEEK * series
            limit = threshold(series, allowed, settings.bucket)
        detector: Detector
        match method:
            case Method.NOVELTY:
                detector = LeakyPeakDetector(series, settings, NoveltySettings(threshold=limit))
            case Method.SEASONAL:
                detector = SeasonalDetector(series, settings, calendar)
            case Method.NEGATIVE_BINOMIAL | Method.AUTO:
                detector = NegativeBinomialDetector(series, settings, calendar, grid.parents)
        book = AlertBook(grid.names, AlertSettings(threshold=limit), settings)
        return cls(grid=grid, detector=detector, book=book, threshold=limit, method=method)

    def is_for_bursts(self) -> bool:
        """Whether scores pass the threshold so often in the first part of the file that bursts are its ordinary.

        It uses the detector up. A file that is too short for a trial has none.
        """
        trial = max(_TRIAL_LEAST, min(_TRIAL_MOST, self.grid.hops * self.grid.hop * _TRIAL_SHARE))
        if self.grid.hops * self.grid.hop < trial:
            return False
        passed, above = 0, np.zeros(len(self.grid.names), dtype=np.bool_)
        for at, counts, present in islice(self.grid, trial // self.grid.hop):
            scores = self.detector.observe(at, counts, present)
            now = (scores.score >= self.threshold) & ~scores.learning
            passed += int((now & ~above).sum())
            above = now
        weeks = trial / timedelta(weeks=1)
        return passed > 1 and passed / len(self.grid.names) / weeks >= _BURSTS_PER_WEEK

    def events(self, on_hop: Callable[[int], None], scores_to: TextIO | None, zone: tzinfo) -> Iterator[SpikeEvent]:
        """Every event of every alert, in the order of time; `scores_to` gets a CSV row a hop and series."""
        writer: Any = None
        if scores_to is not None:
            writer = csv.writer(scores_to)
            writer.writerow(("time", "series", "count", "expected", "score"))
        hop_s = self.grid.hop.total_seconds()
        at = self.grid.first
        for done, (at, counts, present) in enumerate(self.grid, 1):
            scores = self.detector.observe(at, counts, present)
            if writer is not None:
                begun = datetime.fromtimestamp(at - hop_s, zone).isoformat()
                for place, name in enumerate(self.grid.names):
                    known = present is None or present[place]
                    writer.writerow(
                        (
                            begun,
                            name,
                            f"{counts[place]:g}" if known else "",
                            f"{scores.hop_expected[place]:.4g}" if known else "",
                            f"{0.0 if scores.learning[place] else scores.score[place]:.3f}",
                        )
                    )
            yield from self.book.advance(scores)
            on_hop(done)
        yield from self.book.finish(at)


def detect_file(
    path: Path,
    reading: Reading,
    options: DetectOptions,
    *,
    scores_to: Path | None,
    progress: Progress,
    note: Callable[[str], None],
) -> Iterator[dict[str, Any]]:
    """The alerts in a file, each as soon as it is over, as JSON has them.

    Raises BadFile where the file cannot be used and BadSettings where an option cannot.
    """
    task = progress.add_task(f"reading {path.name}", total=None)
    rows = read_rows(path, reading, lambda done, size: progress.update(task, completed=done, total=size))
    progress.remove_task(task)
    try:
        run = Run.of(rows, options)
    except ValueError as error:
        raise BadSettings(f"--hop does not fit: {error}") from error
    grid = run.grid
    for told in grid.notes:
        note(told)
    if grid.hops * grid.hop < run.detector.settings.warm_up:
        note(
            f"the file holds {grid.hops * grid.hop}; a series alerts only after {run.detector.settings.warm_up}, "
            "so there is nothing to find here"
        )
    note(
        f"{len(grid.names)} series, {grid.hops:,} hops of {grid.hop}; {run.method.value}, alerts from a score of "
        f"{run.threshold:.2f}"
    )
    opened: dict[str, SpikeOpened] = {}
    with ExitStack() as stack:
        try:
            sink = stack.enter_context(scores_to.open("w", encoding="utf-8", newline="")) if scores_to else None
        except OSError as error:
            raise BadSettings(f"--scores {scores_to} cannot be written: {error.strerror}") from error
        task = progress.add_task("detecting", total=grid.hops)
        for event in run.events(lambda done: progress.update(task, completed=done), sink, options.zone):
            if isinstance(event, SpikeOpened):
                opened[event.alert_id] = event
            elif isinstance(event, SpikeResolved):
                yield alert_row(event, opened.pop(event.alert_id), options.zone)


def alert_row(alert: SpikeResolved, opened: SpikeOpened, zone: tzinfo) -> dict[str, Any]:
    """An alert as JSON has it; times are on the clock of `zone`."""
    return {
        "alert_id": alert.alert_id,
        "series": alert.series,
        "onset": _iso(alert.onset, zone),
        "detected_at": _iso(alert.detected_at, zone),
        "ended_at": _iso(alert.ended_at, zone),
        "open": alert.still_open,
        "window_s": opened.window.total_seconds(),
        "observed": round(alert.size.observed, 3),
        "expected": round(alert.size.expected, 3),
        "excess": round(alert.size.excess, 3),
        "ratio": round(alert.size.ratio, 3),
        "score": round(alert.size.score, 3),
    }


def _hop_of_events(rows: Rows) -> timedelta:
    span = timedelta(seconds=float(rows.times[-1] - rows.times[0]))
    return _FINE_HOP if span <= _FINE_UNTIL else _MINUTE


def _iso(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")
