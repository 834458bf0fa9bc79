"""`triage models`: the sets of models that the log knows."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from schemas.codec import Codec
from schemas.errors import BadSettings
from streams.decoding import opened_decoder
from streams.model_log import ModelLog, activations
from streams.publish import Publisher
from streams.settings import Settings

_END = 1 << 62


async def read_log(settings: Settings) -> ModelLog:
    """The models' topics, read to their ends."""
    async with opened_decoder(settings, Codec()) as decoder:
        model_log = ModelLog(settings, decoder)
        await model_log.read()
        return model_log


async def activate(settings: Settings, version: str) -> int:
    """Let `version` take over in every partition; gives their number. Raises BadSettings where it is not recorded."""
    model_log = await read_log(settings)
    if version not in model_log.sets:
        known = ", ".join(model_log.sets) or "none yet: a worker records its own when it starts"
        raise BadSettings(f"{version} is no recorded set of models; there are {known}")
    async with Publisher(settings.producer_options()) as publisher:
        await publisher.publish(activations(version, model_log.partitions))
    return len(model_log.partitions)


def print_sets(model_log: ModelLog, console: Console, *, as_json: bool) -> None:
    """The sets, the newest first: what they are made of, and where they were and are live."""
    newest_first = sorted(model_log.sets.values(), key=lambda known: known.recorded_at, reverse=True)
    rows = [
        {
            "version": known.version,
            "recorded_at": known.recorded_at.isoformat(timespec="seconds"),
            "code": known.code,
            "heads": dict(known.heads),
            "live_in": [number for number in model_log.partitions if _live(model_log, number) == known.version],
            "since": {
                number: [at for at, version in model_log.lineage.activations(number) if version == known.version]
                for number in model_log.partitions
            },
            "first": known.version == model_log.lineage.first,
        }
        for known in newest_first
    ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))  # noqa: T201  for machines
        return
    if not rows:
        console.print("no models are recorded yet: a worker records its own when it starts")
        return
    table = Table("version", "recorded", "code", "heads", "live in partitions")
    for row, known in zip(rows, newest_first, strict=True):
        heads = ", ".join(sorted({*known.heads.values()}))
        live = "all" if len(row["live_in"]) == len(model_log.partitions) else ", ".join(map(str, row["live_in"])) or "-"
        table.add_row(known.version, str(row["recorded_at"]), known.code, heads, live)
    console.print(table)


def _live(model_log: ModelLog, partition: int) -> str | None:
    return model_log.lineage.at(partition, _END)
