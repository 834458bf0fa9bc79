"""`triage replay` as a person sees it: the progress bar, the table, the examples."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.decide import Models
from models.sets import models_of
from schemas.codec import Codec
from streams import wiring
from streams.decoding import opened_decoder
from streams.lessons import LessonReader, LiveLessons
from streams.model_log import ModelLog
from streams.open_incidents import LiveIncidents
from streams.replay import GOOD, Range, Replay, Report, Verdict
from streams.settings import Settings
from streams.terminal import work_bar


async def run_replay(settings: Settings, wanted: Range, *, model: str | None, console: Console) -> Report:
    """Decide again with a bar on `console`. Raises BadSettings where `model` names neither a version nor a file."""
    codec = Codec()
    # The ids that frames carry are part of the bytes: those of a registry are looked up, and none is registered.
    async with opened_decoder(settings, codec, written=wiring.all_topics(settings), register=False) as decoder:
        model_log = ModelLog(settings, decoder)
        await model_log.read()
        other = None if model is None else models_named(model, model_log)
        with work_bar(console, transient=False) as bar:
            task = bar.add_task("deciding again", total=None)

            def on_progress(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            async with (
                LessonReader(settings, decoder) as source,
                wiring.live_held(settings, decoder, keep=False) as held,
            ):
                replay = Replay(
                    settings,
                    decoder,
                    codec,
                    model_log,
                    LiveLessons(source, wiring.checkpoints(settings, keep=False)),
                    LiveIncidents(settings, source),
                    held,
                )
                return await replay.run(wanted, on_progress=on_progress, other=other)


def print_report(report: Report, console: Console, *, compared_with: str | None, as_json: bool) -> None:
    """The report as a table with examples, or as one JSON object."""
    if as_json:
        print(json.dumps(_as_json(report), ensure_ascii=False))  # noqa: T201  for machines
        return
    if report.waiting:
        console.print(f"{report.waiting:,} records in this range are not decided yet, and left out")
    if not report.events:
        console.print("nothing to decide again: no event in this range has been decided and committed yet")
        return
    table = Table("outcome", "events", title="what was emitted, beside what the recorded models decide now")
    table.columns[1].justify = "right"
    for verdict in Verdict:
        if count := report.verdicts[verdict]:
            table.add_row(verdict.value, f"{count:,}", style="" if verdict in GOOD else "red")
    console.print(table)
    if report.emitted_again:
        console.print(f"{report.emitted_again:,} outputs were emitted more than once, after crashes")
    if compared_with is not None:
        _print_changes(report, console, compared_with)
    for example in report.examples:
        place = f"{example.position.topic}[{example.position.partition}]@{example.position.offset}"
        console.print(f"[cyan]{place}[/] {example.verdict}: {escape(example.detail)}", soft_wrap=True)


def _print_changes(report: Report, console: Console, compared_with: str) -> None:
    decided = sum(report.verdicts[verdict] for verdict in (Verdict.IDENTICAL, Verdict.DIFFERENT, Verdict.MISSING))
    console.print(f"with {escape(compared_with)}, {report.changed:,} of {decided:,} decisions would have been others")
    if report.changes:
        table = Table("change", "events")
        table.columns[1].justify = "right"
        for change, count in report.changes.most_common(30):
            table.add_row(escape(change), f"{count:,}")
        console.print(table)


def _as_json(report: Report) -> dict[str, object]:
    return {
        "events": report.events,
        "good": report.good,
        "verdicts": {verdict.value: report.verdicts[verdict] for verdict in Verdict},
        "waiting": report.waiting,
        "emitted_again": report.emitted_again,
        "changed": report.changed,
        "changes": dict(report.changes.most_common()),
        "examples": [asdict(example) for example in report.examples],
    }


def models_named(name: str, model_log: ModelLog) -> Models:
    """The models of a recorded version or of a taxonomy's file. Raises BadSettings where `name` is neither."""
    return models_of(wiring.named_set(name, model_log.sets))
