"""`triage models list|show`: the sets of models that the log knows."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.audits import AuditBook
from models.decide import CODE_VERSION
from models.scores import Curve
from models.sets import models_of
from models.taxonomy import parse_taxonomy
from models.teaching import standing
from schemas import topics
from schemas.codec import Codec, to_json
from schemas.errors import BadTaxonomy, ModelsNotReproducible
from schemas.model_log import ModelSet, Said, ShadowCompared
from streams.decoding import Decoder, opened_decoder
from streams.lessons import LessonReader
from streams.model_log import ModelLog
from streams.promotion import log_read_with, recorded_set
from streams.reading import Reader, places_of, reader
from streams.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One set, the log around it, and by partition the last lesson that is known at the end of the events."""

    chosen: ModelSet
    model_log: ModelLog
    lessons: dict[int, int | None]
    shadow: list[ShadowCompared]
    """How it did as a challenger, and others beside it."""
    curves: list[tuple[str, str, Curve]]
    """As `AuditBook.table`: how sure heads may be, by the audits that are known where most is."""

    @property
    def trouble(self) -> str | None:
        """Why this release cannot decide with it; None where it can."""
        try:
            models_of(self.chosen)
        except ModelsNotReproducible as other:
            return str(other)
        return None

    @property
    def activations(self) -> list[tuple[int, int, Said]]:
        """Partition, offset and what was said, of each time that it took over."""
        lineage, said = self.model_log.lineage, self.model_log.said
        return [
            (number, at, said.get((number, at), Said()))
            for number in self.model_log.partitions
            for at, version in lineage.activations(number)
            if version == self.chosen.version
        ]

    @property
    def live_in(self) -> list[int]:
        """The partitions whose newest events it decides on."""
        return live_in(self.model_log, self.chosen.version)


def live_in(model_log: ModelLog, version: str) -> list[int]:
    """The partitions whose newest events the set `version` decides on."""
    return [number for number in model_log.partitions if model_log.lineage.live(number) == version]


async def show_set(settings: Settings, version: str) -> Shown:
    """What the log knows of `version`. Raises BadSettings where it is not recorded."""
    async with opened_decoder(settings, Codec()) as decoder:
        model_log = await log_read_with(decoder, settings, ahead=True)
        chosen = recorded_set(model_log, version)
        places = [(topics.EVENTS.name, number) for number in model_log.partitions]
        async with LessonReader(settings, decoder) as lessons, reader(settings) as source:
            ends = await source.bounds(places)
            known = {place[1]: await lessons.in_force_at(place[1], end) for place, (_, end) in ends.items()}
            shadow = await _in_the_shadow(source, decoder, settings)
            curves = await _calibration(lessons, max((last for last in known.values() if last is not None), default=-1))
    about_it = [one for one in shadow if version in (one.live, one.challenger)]
    return Shown(chosen=chosen, model_log=model_log, lessons=known, shadow=about_it, curves=curves)


async def _calibration(source: LessonReader, last: int) -> list[tuple[str, str, Curve]]:
    """What the outcomes of audits make, in the lessons up to `last`."""
    if last < 0:
        return []
    book = AuditBook()
    for lesson in standing(await source.lessons(await source.start(), last)):
        book.note(lesson)
    return book.table()


async def _in_the_shadow(source: Reader, decoder: Decoder, settings: Settings) -> list[ShadowCompared]:
    """The newest comparison of each two sets and head."""
    found: dict[bytes, ShadowCompared] = {}
    bounds = await source.bounds(await places_of([topics.MODEL_SHADOW.name], settings))
    async for records in source.read(bounds):
        for record in records:
            one = await decoder.decode(record.value, ShadowCompared)
            if isinstance(one, ShadowCompared):
                found[one.key] = one
    return [found[key] for key in sorted(found)]


def print_set(shown: Shown, console: Console, *, as_json: bool) -> None:
    """What one set is made of, since when it is live and by whom, and what the models have learned by now."""
    if as_json:
        print(json.dumps(_as_json(shown), ensure_ascii=False))  # noqa: T201  for machines
        return
    chosen, partitions = shown.chosen, len(shown.model_log.partitions)
    console.print(
        f"[b]{chosen.version}[/], recorded {chosen.recorded_at:%Y-%m-%d %H:%M} UTC by version {chosen.code} of the "
        f"deciding code (this release has {CODE_VERSION})"
    )
    if shown.trouble:
        console.print(f"[yellow]this release cannot decide with it:[/] {escape(shown.trouble)}", soft_wrap=True)
    console.print(escape(_taxonomy_line(chosen)), soft_wrap=True)
    heads = Table("head", "model")
    for head, model in sorted(chosen.heads.items()):
        heads.add_row(head, escape(model))
    console.print(heads)
    first = (
        "; it decides on whatever stands before the first activation"
        if chosen.version == shown.model_log.lineage.first
        else ""
    )
    console.print(f"live in {_where(shown.live_in, partitions)}{first}")
    _print_activations(shown, console)
    _print_shadow(shown, console)
    console.print(_lessons_line(shown.lessons))
    _print_curves(shown, console)


def _print_curves(shown: Shown, console: Console) -> None:
    if not shown.curves:
        return
    table = Table("calibrated by audits", "tenant", "outcomes", "scale", "shift (nats)")
    for head, tenant, curve in shown.curves:
        own = escape(tenant) or "[dim](others)[/]"
        table.add_row(head, own, f"{curve.audits:,}", f"{curve.scale:.3f}", f"{curve.shift:+.3f}")
    console.print(table)


def _print_activations(shown: Shown, console: Console) -> None:
    together: defaultdict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for number, at, said in shown.activations:
        when = "" if said.at is None else f"{said.at:%Y-%m-%d %H:%M}"
        reason = f"back from {said.back_from}: {said.reason}".removesuffix(": ") if said.back_from else said.reason
        together[when, said.by, reason, said.back_from].append(f"{number}@{at}")
    if not together:
        return
    table = Table("took over (UTC)", "after partition@offset", "by", "why")
    for (when, by, reason, _), places in sorted(together.items()):
        table.add_row(when or "-", " ".join(places), escape(by) or "-", escape(reason) or "-")
    console.print(table)


def _print_shadow(shown: Shown, console: Console) -> None:
    if not shown.shadow:
        return
    table = Table("challenger", "beside", "head", "lessons", "difference", "95% interval", "verdict")
    for one in shown.shadow:
        radius = one.radius
        table.add_row(
            one.challenger,
            one.live,
            one.head,
            f"{one.lessons:,}",
            f"{one.difference:+.3f}",
            "-" if radius is None else f"{one.difference - radius:+.3f} to {one.difference + radius:+.3f}",
            f"[b]{one.verdict}: proposed[/]" if one.proposed else escape(one.verdict),
        )
    console.print(table)
    console.print("[dim]in the shadow: nats per lesson; a difference above 0 speaks for the challenger[/]")


def _taxonomy_line(chosen: ModelSet) -> str:
    try:
        taxonomy = parse_taxonomy(chosen.taxonomy)
    except BadTaxonomy as error:
        return f"taxonomy: this release cannot read it: {error}"
    return (
        f"taxonomy {taxonomy.version}: {len(taxonomy.categories)} categories, {len(taxonomy.intents)} intents, "
        f"{len(taxonomy.priorities)} priorities; {len(taxonomy.teams)} teams ({', '.join(taxonomy.teams)}); "
        f"languages {', '.join(taxonomy.languages)}"
    )


def _lessons_line(lessons: dict[int, int | None]) -> str:
    by_last: defaultdict[int | None, list[int]] = defaultdict(list)
    for number, last in lessons.items():
        by_last[last].append(number)
    if set(by_last) <= {None}:
        return "no lessons are known yet"
    parts = (
        f"{'none' if last is None else f'lessons up to {last}'} in {_where(numbers, len(lessons))}"
        for last, numbers in sorted(by_last.items(), key=lambda item: -1 if item[0] is None else item[0])
    )
    return f"known, as by any set: {'; '.join(parts)}"


def _where(numbers: list[int], partitions: int) -> str:
    if len(numbers) == partitions:
        return f"all {partitions} partitions"
    if not numbers:
        return "no partition"
    return f"partition{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _as_json(shown: Shown) -> dict[str, object]:
    chosen = shown.chosen
    taxonomy: dict[str, object] | None = None
    with suppress(BadTaxonomy):
        read = parse_taxonomy(chosen.taxonomy)
        taxonomy = {
            "version": read.version,
            "categories": list(read.categories),
            "intents": list(read.intents),
            "priorities": list(read.priorities),
            "teams": list(read.teams),
            "languages": list(read.languages),
        }
    return {
        "version": chosen.version,
        "recorded_at": chosen.recorded_at.isoformat(timespec="seconds"),
        "code": chosen.code,
        "trouble": shown.trouble,
        "heads": dict(chosen.heads),
        "taxonomy": taxonomy,
        "live_in": shown.live_in,
        "first": chosen.version == shown.model_log.lineage.first,
        "activations": [
            {
                "partition": number,
                "offset": at,
                "at": None if said.at is None else said.at.isoformat(timespec="seconds"),
                "by": said.by,
                "reason": said.reason,
                "back_from": said.back_from,
            }
            for number, at, said in shown.activations
        ],
        "lessons": shown.lessons,
        "shadow": [to_json(one) for one in shown.shadow],
        "calibrated": [
            {"head": head, "tenant": tenant or None, "audits": curve.audits, "scale": curve.scale, "shift": curve.shift}
            for head, tenant, curve in shown.curves
        ],
    }


def print_sets(model_log: ModelLog, console: Console, *, as_json: bool) -> None:
    """The sets, the newest first: what they are made of, and where they were and are live."""
    newest_first = sorted(model_log.sets.values(), key=lambda known: known.recorded_at, reverse=True)
    rows = [
        {
            "version": known.version,
            "recorded_at": known.recorded_at.isoformat(timespec="seconds"),
            "code": known.code,
            "heads": dict(known.heads),
            "live_in": live_in(model_log, known.version),
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
