"""`triage forecast`: tickets and agents per hour ahead, from a file of counts or events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from models.forecast import HOUR, Forecast, forecast
from models.staffing import ServiceLevel, agents_needed, agents_rostered
from models.weeks import WeekCalendar
from schemas.errors import BadFile, BadSettings
from streams.series import grid_of, read_rows, spacing_of
from streams.series_options import ForecastOptions, Missing, Reading

_SHOWN_HISTORY = 14 * 24
_MOST_SERIES = 1000


def forecast_file(
    path: Path, reading: Reading, options: ForecastOptions, *, plot: Path | None, progress: Progress
) -> list[dict[str, Any]]:
    """The forecast of each series in a file, the largest first, as JSON has it; the plot is of the first.

    Raises BadFile where the file cannot be used and BadSettings where an option cannot.
    """
    task = progress.add_task(f"reading {path.name}", total=None)
    rows = read_rows(path, reading, lambda done, size: progress.update(task, completed=done, total=size))
    progress.remove_task(task)
    if rows.counted and spacing_of(rows) > HOUR:
        raise BadFile(
            f"{path.name} has counts per {spacing_of(rows)}; a forecast per hour needs them per hour or finer"
        )
    # Counts of parts of an hour are summed up as events are.
    rows = rows.as_events() if rows.counted else rows
    grid = grid_of(rows, hop=HOUR, missing=Missing.ZERO, most_series=_MOST_SERIES, with_total=True)
    table = np.zeros((grid.hops, len(grid.names)))
    for at, (_, counts, _) in enumerate(grid):
        table[at] = counts
    if grid.hops > 1:
        table = table[:-1]  # the last hour is seldom whole
    wanted = options.service
    calendar = WeekCalendar(options.zone, options.holidays)
    start = datetime.fromtimestamp(grid.first, UTC)
    order = np.argsort(-table.sum(axis=0), kind="stable").tolist()
    found: list[dict[str, Any]] = []
    task = progress.add_task("forecasting", total=len(order))
    for rank, place in enumerate(order):
        history = table[:, place]
        try:
            ahead = forecast(history, start, hours=options.hours, calendar=calendar, coverage=options.coverage)
            found.append(_document(grid.names[place], ahead, wanted, options.zone))
        except ValueError as error:
            raise BadFile(f"{path.name}, {grid.names[place]}: {error}") from error
        if plot is not None and rank == 0:
            try:
                plot.write_text(svg(grid.names[place], history, start, ahead, options.zone), encoding="utf-8")
            except OSError as error:
                raise BadSettings(f"--plot {plot} cannot be written: {error.strerror}") from error
        progress.update(task, completed=rank + 1)
    return found


def _document(name: str, ahead: Forecast, wanted: ServiceLevel, zone: tzinfo) -> dict[str, Any]:
    hours: list[dict[str, Any]] = []
    for hour in ahead.hours:
        agents = agents_needed(hour.expected, wanted)
        hours.append(
            {
                "begins": hour.begins.astimezone(zone).isoformat(timespec="minutes"),
                "expected": round(hour.expected, 2),
                "low": round(hour.low, 2),
                "high": round(hour.high, 2),
                "agents": agents,
                "agents_at_high": agents_needed(hour.high, wanted),
                "rostered": agents_rostered(agents, wanted),
            }
        )
    return {
        "series": name,
        "method": ahead.method,
        "wape": {method: round(error, 4) for method, error in ahead.wape.items()},
        "coverage": ahead.coverage,
        "hours": hours,
    }


def svg(name: str, history: NDArray[np.float64], start: datetime, ahead: Forecast, zone: tzinfo) -> str:
    """A plot of the last two weeks and the forecast with its interval, as a file that any browser shows.

    Written by hand: three lines and an axis need no plotting library in every installation.
    """
    width, height, left, bottom, top = 960, 320, 56, 40, 34
    past = history[-_SHOWN_HISTORY:]
    first = start + (history.size - past.size) * HOUR
    hours = past.size + len(ahead.hours)
    peak = max(float(past.max(initial=1.0)), *(hour.high for hour in ahead.hours), 1.0)

    def x(at: float) -> float:
        return left + (width - left - 12) * at / max(hours - 1, 1)

    def y(value: float) -> float:
        return top + (height - top - bottom) * (1 - value / peak)

    def points(values: Sequence[float], begin: int) -> str:
        return " ".join(f"{x(begin + at):.1f},{y(value):.1f}" for at, value in enumerate(values))

    lows = [hour.low for hour in ahead.hours]
    band = (
        points([hour.high for hour in ahead.hours], past.size)
        + " "
        + " ".join(f"{x(past.size + at):.1f},{y(value):.1f}" for at, value in reversed(list(enumerate(lows))))
    )
    marks: list[str] = []
    for at in range(hours):
        moment = (first + at * HOUR).astimezone(zone)
        if moment.hour == 0 and (hours <= 5 * 24 or moment.weekday() == 0 or (hours <= 21 * 24 and moment.day % 2)):
            marks.append(
                f'<line x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{top}" y2="{height - bottom}" stroke="#e5e5e5"/>'
                f'<text x="{x(at):.1f}" y="{height - bottom + 16}" text-anchor="middle">{moment:%d %b}</text>'
            )
    marks.extend(
        f'<text x="{left - 6}" y="{y(part * peak) + 4:.1f}" text-anchor="end">{part * peak:.0f}</text>'
        for part in (0.0, 0.5, 1.0)
    )
    title = f"{name}: tickets per hour, {ahead.method}, {ahead.coverage:.0%} interval"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12" fill="#444" role="img"><title>{escape(title)}</title>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<text x="{left}" y="20" font-size="14">{escape(title)}</text>{"".join(marks)}'
        f'<polygon points="{band}" fill="#f2b84b" fill-opacity="0.35"/>'
        f'<polyline points="{points(past.tolist(), 0)}" fill="none" stroke="#3b6ea5"/>'
        f'<polyline points="{points([hour.expected for hour in ahead.hours], past.size)}" fill="none" '
        f'stroke="#c26a00" stroke-width="2"/></svg>\n'
    )
