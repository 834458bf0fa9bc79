"""`triage models compare`: a challenger beside the live models, on the lessons that the log holds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from models.comparison import ALPHA, Compared, Verdict, compare
from schemas.codec import Codec
from schemas.errors import BadSettings
from streams.decoding import opened_decoder
from streams.lessons import LessonReader
from streams.model_log import ModelLog
from streams.promotion import live_everywhere
from streams.replay_view import models_named
from streams.settings import Settings


async def run_comparison(settings: Settings, challenger: str, against: str | None) -> Mapping[str, Compared]:
    """Head to the comparison on all lessons. Raises BadSettings where a name is unknown or the partitions differ."""
    async with opened_decoder(settings, Codec()) as decoder:
        model_log = ModelLog(settings, decoder)
        await model_log.read()
        two = models_named(challenger, model_log)
        one = models_named(against or _live(model_log), model_log)
        async with LessonReader(settings, decoder) as source:
            lessons = await source.lessons(0, end - 1) if (end := await source.end()) else []
    return await asyncio.to_thread(compare, lessons, one, two)


def _live(model_log: ModelLog) -> str:
    version = live_everywhere(model_log, "name one by --against")
    if version is None:
        raise BadSettings("no models are live yet: start a worker, or name what to compare with by --against")
    return version


def print_comparison(found: Mapping[str, Compared], console: Console, *, as_json: bool) -> None:
    """A table, or one JSON object, by head."""
    if as_json:
        print(json.dumps({head: asdict(item) for head, item in found.items()}))  # noqa: T201  for machines
        return
    if not found:
        console.print("nothing to compare on: nobody has taught anything yet (triage feedback correct)")
        return
    table = Table(
        *("head", "lessons", "live loss", "its loss", "live right", "its right"),
        *("difference", f"{1 - ALPHA:.0%} interval", "verdict"),
    )
    for head, item in found.items():
        low_high = "-"
        if item.radius is not None:
            low_high = f"{item.difference - item.radius:+.3f} to {item.difference + item.radius:+.3f}"
        table.add_row(
            head,
            f"{item.lessons:,}",
            f"{item.live_loss:.3f}",
            f"{item.challenger_loss:.3f}",
            f"{item.live_accuracy:.1%}",
            f"{item.challenger_accuracy:.1%}",
            f"{item.difference:+.3f}",
            low_high,
            _verdict(item),
        )
    console.print(table)
    console.print("[dim]losses in nats per lesson; a difference above 0 speaks for the challenger[/]")


def _verdict(item: Compared) -> str:
    if item.verdict is not Verdict.UNDECIDED:
        return item.verdict.value
    more = "no difference in sight" if item.more_needed is None else f"about {item.more_needed:,} more lessons needed"
    return f"{item.verdict}: {more}"
