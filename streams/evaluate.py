"""`triage evaluate`: a labelled file, answered row by row, by us and by those we are compared with."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.calibration import Calibrator
from models.classifier import TextClassifier
from models.prequential import CalibratedHead, Contestant, prequential
from models.quality import Outcome, Quality, quality
from streams.baselines import rivals
from streams.labelled import Labelled, LabelledFile

OURS = "triage"
LAST_SHARE = 0.2
_STEP = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one contestant did, over all rows and over the last fifth."""

    contestant: str
    documents_per_second: float
    """Rows answered and learned, one at a time, on one core."""
    over_all: Quality
    over_last: Quality

    def to_json(self) -> dict[str, Any]:
        """For machines: figures over all rows at the top, those over the last fifth apart."""
        return {
            "contestant": self.contestant,
            "documents_per_second": round(self.documents_per_second, 1),
            **_rounded(self.over_all),
            "last_20_percent": _rounded(self.over_last),
        }


def run_evaluation(
    file: LabelledFile,
    *,
    delay: int,
    passes: int,
    against: list[str],
    limit: int | None,
    shuffle: int | None,
    as_json: bool,
    clock: Callable[[], datetime],
    out: Console,
    err: Console,
) -> None:
    """The whole command: what was found goes to `err`, the result to `out`, as a table or as one JSON object."""
    contestants, absent = rivals(against)
    rows = (file.rows if shuffle is None else shuffled(file.rows, shuffle))[:limit]
    labels = len({row.label for row in rows})
    notes = [f"{file.path.name}: {len(rows):,} rows, {labels:,} labels, {file.encoding}"]
    if file.skipped.total:
        notes.append(f"skipped: {file.skipped}")
    for note in [*notes, *absent]:
        err.print(f"[dim]{escape(note)}[/]", soft_wrap=True)
    warm_up()
    results: list[Result] = []
    own = ours()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} rows"))
    with Progress(*columns, TimeRemainingColumn(), console=err) as bar:
        tasks = {name: bar.add_task(name, total=len(rows), start=False) for name in [OURS, *contestants]}
        for name, make in {OURS: lambda: own, **contestants}.items():
            bar.start_task(tasks[name])
            result, _ = evaluate(
                rows,
                name,
                make,
                delay=delay,
                passes=passes,
                clock=clock,
                on_progress=lambda done, name=name: bar.update(tasks[name], advance=done),
            )
            results.append(result)
    if own.repaired:
        err.print(f"[dim]{own.repaired:,} texts had been decoded wrongly and were repaired[/]")
    if as_json:
        answer = {
            "file": file.path.name,
            "rows": len(rows),
            "labels": labels,
            "encoding": file.encoding,
            "skipped": asdict(file.skipped),
            "repaired": own.repaired,
            "delay": delay,
            "passes": passes,
            "shuffle": shuffle,
            "not_installed": absent,
            "results": [result.to_json() for result in results],
        }
        print(json.dumps(answer, ensure_ascii=False))  # noqa: T201  for machines
    else:
        out.print(_table(results))


def _table(results: Sequence[Result]) -> Table:
    table = Table("", "accuracy", "macro-F1", "ECE", "cover 90 %", "cover 95 %", "documents/s")
    for column in table.columns[1:]:
        column.justify = "right"
    for result in results:
        table.add_row(result.contestant, *_cells(result.over_all), f"{result.documents_per_second:,.0f}")
        table.add_row("  [dim]last 20 %[/]", *_cells(result.over_last), end_section=True)
    return table


def _cells(figures: Quality) -> list[str]:
    shares = (figures.accuracy, figures.macro_f1, figures.ece, figures.coverage_90, figures.coverage_95)
    return [f"{share:.3f}" for share in shares]


def ours() -> CalibratedHead:
    """The project's contestant, with nothing learned."""
    return CalibratedHead(TextClassifier(), Calibrator())


def warm_up() -> None:
    """Load or compile the kernels, so that no measurement and no first ticket pays for it."""
    head = ours()
    for text, label in (("a b", "x"), ("b c", "y")):
        head.learn(text, label, head.answer(text).memory)


def shuffled(rows: Sequence[Labelled], seed: int) -> list[Labelled]:
    """The rows in another order, the same for the same seed."""
    return [rows[at] for at in np.random.default_rng(seed).permutation(len(rows))]


def evaluate(
    rows: Sequence[Labelled],
    name: str,
    make: Callable[[], Contestant],
    *,
    delay: int,
    passes: int,
    clock: Callable[[], datetime],
    on_progress: Callable[[int], None],
) -> tuple[Result, list[Outcome]]:
    """Answer and learn every row; `on_progress` hears of rows done. Speed is rows by the clock's time."""
    contestant = make()
    outcomes: list[Outcome] = []
    began = clock()
    stream = prequential(((row.text, row.label) for row in rows), contestant, delay=delay, passes=passes)
    for outcome in stream:
        outcomes.append(outcome)
        if len(outcomes) % _STEP == 0:
            on_progress(_STEP)
    on_progress(len(outcomes) % _STEP)
    seconds = max((clock() - began) / timedelta(seconds=1), 1e-9)
    last = outcomes[len(outcomes) - max(1, round(len(outcomes) * LAST_SHARE)) :]
    result = Result(
        contestant=name,
        documents_per_second=len(outcomes) / seconds,
        over_all=quality(outcomes),
        over_last=quality(last),
    )
    return result, outcomes


def _rounded(figures: Quality) -> dict[str, Any]:
    return {
        name: value if isinstance(value, int) else round(float(value), 4) for name, value in asdict(figures).items()
    }
