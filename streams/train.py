"""`triage train`: a history export becomes a snapshot of one head, with a report of how good it was on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.calibration import Calibrator
from models.classifier import TextClassifier
from models.prequential import CalibratedHead
from models.quality import LabelQuality, Outcome, per_label, reliability
from models.snapshots import Snapshot, to_bytes
from schemas.errors import BadSettings
from sinks.snapshots import SnapshotFolder
from streams.charts import calibration_plot, confusion_matrix
from streams.evaluate import OURS, Result, evaluate, shuffled, warm_up
from streams.labelled import LabelledFile

_ROWS_SHOWN = 40


def run_training(
    file: LabelledFile,
    *,
    head: str,
    store: SnapshotFolder,
    report: Path,
    passes: int,
    shuffle: int | None,
    as_json: bool,
    clock: Callable[[], datetime],
    out: Console,
    err: Console,
) -> None:
    """The whole command. Each ticket is answered before it is learned, so that the report is about unseen tickets."""
    if file.skipped.total:
        err.print(f"[yellow]skipped: {escape(str(file.skipped))}[/]", soft_wrap=True)
    rows = file.rows if shuffle is None else shuffled(file.rows, shuffle)
    learner = CalibratedHead(TextClassifier(), Calibrator())
    warm_up()
    columns = (TextColumn("learning"), BarColumn(), TextColumn("{task.completed:,.0f} tickets"), TimeRemainingColumn())
    with Progress(*columns, console=err) as bar:
        task = bar.add_task("learning", total=len(rows))
        result, outcomes = evaluate(
            rows,
            OURS,
            lambda: learner,
            delay=0,
            passes=passes,
            clock=clock,
            on_progress=lambda done: bar.update(task, advance=done),
        )
    about = {"file": file.path.name, "text": list(file.columns.text), "label": file.columns.label, "passes": passes}
    data = to_bytes(Snapshot(learner.model, learner.calibrator, about))
    stored = store.save(head, learner.model.learned, data)
    labels = per_label(outcomes)
    written = _write_report(report, result, outcomes, labels)
    if as_json:
        answer = {
            "head": head,
            "version": stored.version,
            "snapshot": str(store.folder / stored.file_name),
            "bytes": len(data),
            "report": [str(path) for path in written],
            "skipped": asdict(file.skipped),
            "quality": result.to_json(),
            "labels": [asdict(label) for label in labels],
        }
        print(json.dumps(answer, ensure_ascii=False))  # noqa: T201  for machines
        return
    out.print(_label_table(labels))
    figures = result.over_last
    out.print(
        f"on the last fifth: accuracy {figures.accuracy:.3f}, macro-F1 {figures.macro_f1:.3f}, ECE {figures.ece:.3f}, "
        f"{figures.coverage_90:.0%} of tickets at 90 % precision"
    )
    out.print(f"snapshot: {store.folder / stored.file_name} ({len(data) / 1e6:.1f} MB)", soft_wrap=True, markup=False)
    for path in written:
        out.print(f"report: {path}", soft_wrap=True, markup=False)


def _write_report(
    folder: Path, result: Result, outcomes: Sequence[Outcome], labels: Sequence[LabelQuality]
) -> list[Path]:
    names = [str(label.label) for label in labels]
    places = {name: at for at, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), np.int64)
    for outcome in outcomes:
        if outcome.said is not None:
            counts[places[str(outcome.truth)], places[str(outcome.said)]] += 1
    right = np.array([outcome.said == outcome.truth for outcome in outcomes])
    sure = np.array([outcome.probability for outcome in outcomes])
    figures = {"quality": result.to_json(), "labels": [asdict(label) for label in labels]}
    files = {
        "confusion.svg": confusion_matrix(names, counts),
        "calibration.svg": calibration_plot(reliability(right, sure)),
        "quality.json": json.dumps(figures, ensure_ascii=False, indent=2) + "\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadSettings(f"{folder} cannot be written: {error.strerror}; name another with --report") from error
    return [folder / name for name in files]


def _label_table(labels: Sequence[LabelQuality]) -> Table:
    table = Table("label", "tickets", "precision", "recall", "F1")
    for column in table.columns[1:]:
        column.justify = "right"
    for label in labels[:_ROWS_SHOWN]:
        table.add_row(
            escape(str(label.label)),
            f"{label.tickets:,}",
            f"{label.precision:.3f}",
            f"{label.recall:.3f}",
            f"{label.f1:.3f}",
        )
    if len(labels) > _ROWS_SHOWN:
        table.caption = f"and {len(labels) - _ROWS_SHOWN} more, in quality.json"
    return table
