"""The commands that read files of counts or events: `triage detect` and `triage forecast`."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.staffing import ServiceLevel
from models.weeks import WeekCalendar
from schemas.errors import BadSettings
from streams.calendars import holidays_of, zone_of
from streams.series_options import (
    FALSE_ALARMS_PER_WEEK,
    Columns,
    DetectOptions,
    ForecastOptions,
    Method,
    Missing,
    Reading,
)
from streams.terminal import work_bar

File = Annotated[
    Path, typer.Argument(help="CSV (any delimiter) or JSONL, also gzipped: a row is a count, or one event.")
]
Time = Annotated[
    str | None,
    typer.Option(help="Column of the time: ISO 8601, 31.12.2026 or since 1970. Default: one of its usual names."),
]
Value = Annotated[str | None, typer.Option(help="Column of the count. Without it, each row is one event.")]
Series = Annotated[
    str | None, typer.Option(help="Column that names the series of a row; [b]all[/b] sums the series up.")
]
Zone = Annotated[
    str,
    typer.Option(help="Zone of times that name none, of the profile of the week and of the output: Europe/Berlin."),
]
Holiday = Annotated[
    list[str] | None,
    typer.Option(
        help="Days that are like a Sunday: a region's holidays (DE-BY, AT), 2026-12-24, 12-24 of every year; may be "
        "repeated."
    ),
]
Gaps = Annotated[Missing, typer.Option(help="What a time without a row means in a file of counts.")]
Encoding = Annotated[str | None, typer.Option(help="The file's encoding, such as cp1252. Default: UTF-8.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out rows that cannot be used, instead of ending.")]


def detect(
    file: File,
    time: Time = None,
    value: Value = None,
    series: Series = None,
    method: Annotated[Method, typer.Option(help="What scores the counts.")] = Method.AUTO,
    false_alarms_per_week: Annotated[
        float | None,
        typer.Option(
            min=1e-6,
            help=f"False alarms allowed a week, over all series together. Default: {FALSE_ALARMS_PER_WEEK:g} a series.",
        ),
    ] = None,
    score: Annotated[
        float | None, typer.Option(min=0, help="Alert from this score on, instead of --false-alarms-per-week.")
    ] = None,
    min_ratio: Annotated[float, typer.Option(min=1, help="A spike is at least so many times what is expected.")] = 1.5,
    min_count: Annotated[float, typer.Option(min=0, help="A spike has at least this count in a window.")] = 5,
    zone: Zone = "UTC",
    holiday: Holiday = None,
    missing: Gaps = Missing.AUTO,
    hop: Annotated[
        float | None, typer.Option(min=1, help="Seconds between scores. Default: the file's; 10 or 60 for events.")
    ] = None,
    max_series: Annotated[int, typer.Option(min=1, help="Fold the smallest series beyond so many into one.")] = 1000,
    encoding: Encoding = None,
    skip_bad: SkipBad = False,
    scores: Annotated[
        Path | None, typer.Option(help="Write the count, the expectation and the score of every hop to this CSV.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, one line an alert.")] = False,
) -> None:
    """Find the spikes in a file: the alerts of the stream's detector, with onset, end, size and score.

    An alert rests on the rows before it alone. Two weeks of history before what matters make the baseline a good one;
    in a file of some hours, the last hour's rate is the baseline.
    """
    from streams.detect import detect_file  # noqa: PLC0415  numpy is for the work, not for --help

    calendar = _calendar(zone, holiday)
    options = DetectOptions(
        method=method,
        false_alarms_per_week=false_alarms_per_week,
        score=score,
        min_count=min_count,
        min_ratio=min_ratio,
        zone=calendar.zone,
        holidays=calendar.holidays,
        hop=None if hop is None else timedelta(seconds=hop),
        missing=missing,
        max_series=max_series,
    )
    columns = Columns(time=time, value=value, series=series)
    reading = Reading(columns=columns, zone=calendar.zone, encoding=encoding, skip_bad=skip_bad)
    table = Table("series", "onset", "detected", "end", "count", "expected", "excess", "ratio", "score")
    for column in table.columns[4:]:
        column.justify = "right"
    err, found = Console(stderr=True), 0
    with work_bar(err) as progress:
        alerts = detect_file(
            file,
            reading,
            options,
            scores_to=scores,
            progress=progress,
            note=lambda text: progress.console.print(f"[dim]{escape(text)}[/]", soft_wrap=True),
        )
        for alert in alerts:
            found += 1
            if as_json:
                print(json.dumps(alert, ensure_ascii=False), flush=True)  # noqa: T201  for machines
            else:
                table.add_row(*_cells(alert))
    if found and not as_json:
        Console().print(table)
    if not found:
        err.print("no spikes")


def forecast(
    file: File,
    time: Time = None,
    value: Value = None,
    series: Series = None,
    hours: Annotated[int, typer.Option(min=1, max=24 * 60, help="How many hours ahead.")] = 168,
    coverage: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="The share of hours that are to fall into the interval.")
    ] = 0.8,
    handling_minutes: Annotated[
        float, typer.Option(min=0.1, help="Minutes that a ticket takes an agent, on average.")
    ] = 10,
    service_level: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="The share of tickets to be picked up in time.")
    ] = 0.8,
    within_minutes: Annotated[float, typer.Option(min=0, help="What in time means, in minutes.")] = 15,
    occupancy: Annotated[
        float, typer.Option(min=0.01, max=1, help="The share of their time that agents are busy, at most.")
    ] = 0.85,
    shrinkage: Annotated[
        float, typer.Option(min=0, max=0.99, help="The share of paid time that goes to breaks, training and illness.")
    ] = 0.3,
    zone: Zone = "UTC",
    holiday: Holiday = None,
    encoding: Encoding = None,
    skip_bad: SkipBad = False,
    plot: Annotated[Path | None, typer.Option(help="Write a plot of the largest series to this SVG file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, one line a series.")] = False,
) -> None:
    """Forecast tickets per hour, with intervals, and the agents that a service level needs (Erlang C).

    For each series, the method that was better in the last two weeks of the file is taken, and named.
    """
    from streams.forecasting import forecast_file  # noqa: PLC0415  numpy is for the work, not for --help

    calendar = _calendar(zone, holiday)
    options = ForecastOptions(
        hours=hours,
        coverage=coverage,
        zone=calendar.zone,
        holidays=calendar.holidays,
        service=ServiceLevel(
            share=service_level,
            within=timedelta(minutes=within_minutes),
            handling=timedelta(minutes=handling_minutes),
            occupancy=occupancy,
            shrinkage=shrinkage,
        ),
    )
    columns = Columns(time=time, value=value, series=series)
    reading = Reading(columns=columns, zone=calendar.zone, encoding=encoding, skip_bad=skip_bad)
    with work_bar(Console(stderr=True)) as progress:
        found = forecast_file(file, reading, options, plot=plot, progress=progress)
    if as_json:
        for document in found:
            print(json.dumps(document, ensure_ascii=False))  # noqa: T201  for machines
        return
    out = Console()
    for document in found:
        errors = ", ".join(f"{name} {error:.1%}" for name, error in document["wape"].items())
        title = f"{document['series']}: {document['method']}" + (f" (errors a day ahead: {errors})" if errors else "")
        table = Table("hour", "tickets", "low", "high", "agents", "rostered", title=title, title_justify="left")
        for column in table.columns[1:]:
            column.justify = "right"
        for hour in document["hours"]:
            table.add_row(hour["begins"], *(f"{hour[name]:g}" for name in _FORECAST_COLUMNS))
        out.print(table)


_FORECAST_COLUMNS = ("expected", "low", "high", "agents", "rostered")


def _calendar(zone: str, holidays: list[str] | None) -> WeekCalendar:
    """The calendar that the options name. Raises BadSettings with the option that is wrong."""
    option = "--zone"
    try:
        clock = zone_of(zone)
        option = "--holiday"
        return WeekCalendar(clock, holidays_of(holidays or ()))
    except BadSettings as error:
        raise BadSettings(f"{option}: {error}") from error


def _cells(alert: dict[str, Any]) -> tuple[str, ...]:
    return (
        escape(alert["series"]),
        alert["onset"],
        alert["detected_at"],
        "open" if alert["open"] else alert["ended_at"],
        f"{alert['observed']:g}",
        f"{alert['expected']:.4g}",
        f"{alert['excess']:+.4g}",
        f"{alert['ratio']:.2f}",
        f"{alert['score']:.1f}",
    )
