"""The commands `triage deadletters list|show|redrive`."""

from __future__ import annotations

import json
import string
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.codec import Codec, to_json
from schemas.dead_letters import DeadLetter, LetterFilter, Place, left_out, marked_place, refusal
from schemas.errors import BadSettings, DeadLettered, RegistryUnavailable, UnknownSchema
from streams import wiring
from streams.batches import Record, time_of
from streams.publish import Publisher
from streams.redrive import Listed, Outcome, letter_reader, redrive, to_redrive
from streams.registry import SchemaRegistry
from streams.settings import Settings
from streams.terminal import EXIT_FAILED, EXIT_REFUSED, run, settings_of, work_bar
from streams.times import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN_BYTES = 2048
_MOST_REDRIVEN_BYTES = 100 * 1024 * 1024  # before compression; what was on the topic before fits on it again
_DUMP_WIDTH = 16
_PRINTABLE = frozenset(string.printable.encode()) - frozenset(b"\t\n\r\v\f")

app = typer.Typer(
    no_args_is_help=True,
    help="Records that could not be handled: list them, look at one, send them back once the fault is mended.",
)
out = Console()
err = Console(stderr=True)

Stage = Annotated[str | None, typer.Option(help="What was being done: decode, activate, decide, archive or notify.")]
ErrorClass = Annotated[str | None, typer.Option("--error", help="The error's class, such as NotFramed.")]
Origin = Annotated[str | None, typer.Option("--topic", help="The topic that the record stood on.")]
Partition = Annotated[int | None, typer.Option(min=0, help="The partition that the record stood in.")]
Since = Annotated[
    str | None, typer.Option(help="Failed then or later: 2026-03-02T12:00 (UTC where it names no zone), 2h, 3d.")
]
Until = Annotated[str | None, typer.Option(help="Failed before then, written as for --since.")]
Ticket = Annotated[str | None, typer.Option(metavar="KEY", help="The record's key: the ticket's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for machines.")]


@app.command("list")
def list_letters(
    context: typer.Context,
    stage: Stage = None,
    error: ErrorClass = None,
    topic: Origin = None,
    partition: Partition = None,
    since: Since = None,
    until: Until = None,
    ticket: Ticket = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most; all that fit are counted.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first, and count them by stage and error.

    They are read from Kafka: no store is needed.
    """
    settings = settings_of(context)
    chosen = _filter(stage, error, topic, partition, since, until, ticket)
    found, _ = run(_read(settings, chosen))
    found.sort(key=lambda listed: (listed.letter.failed_at, listed.place), reverse=True)
    if as_json:
        print(json.dumps([_as_json(listed) for listed in found[:limit]], ensure_ascii=False))  # noqa: T201  for machines
        return
    if not found:
        err.print("no dead letters" if chosen == LetterFilter() else "no dead letters fit")
        return
    out.print(_table(found[:limit]))
    if len(found) > limit:
        out.print(f"the newest {limit} of {len(found)}; --limit shows more")
    out.print(_counts(found))


@app.command()
def show(
    context: typer.Context,
    letter: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="The letter's place, as list gives it.")],
    value: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the original value's bytes to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show all of one dead letter: origin, error, stack trace, headers, key, value."""
    settings = settings_of(context)
    place = _place(letter)
    record, original = run(_read_one(settings, place))
    if (marked := marked_place(record.value, record.headers)) is not None:
        raise BadSettings(f"{place} is no letter: it marks that {marked} was redriven. Try: triage deadletters list")
    found = DeadLetter.read(record.key, record.value, record.headers, failed_at=time_of(record))
    whole = original if original is not None else record
    if value is not None:
        if left_out(record.headers) and original is None:
            raise BadSettings(f"{place}: the value was too large for the letter, and is no longer in Kafka either")
        _write(value, whole.value or b"")
    word = run(_decoded(settings, found.origin.topic, whole.value))
    if as_json:
        fields = {
            "place": str(place),
            **to_json(found),
            "key": to_json(whole.key),
            "value": to_json(whole.value),
            "headers": {name: to_json(content) for name, content in record.headers},
            "left_out": left_out(record.headers),
            "decoded": None if isinstance(word, str) else to_json(word),
        }
        print(json.dumps(fields, ensure_ascii=False))  # noqa: T201  for machines
        return
    _print_letter(place, found, record, whole, word)


@app.command("redrive")
def redrive_letters(
    context: typer.Context,
    letters: Annotated[
        list[str] | None, typer.Argument(metavar="PARTITION:OFFSET...", help="These letters. Default: all that fit.")
    ] = None,
    stage: Stage = None,
    error: ErrorClass = None,
    topic: Origin = None,
    partition: Partition = None,
    since: Since = None,
    until: Until = None,
    ticket: Ticket = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Redrive so many at most, the oldest first.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Redrive those, too, that were redriven already.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish records of dead letters again where they stood: same key, value and headers.

    The event keeps its identity, so its decision keeps its id. A redriven letter is marked, and left out the next
    time. Where some are refused, the exit code is 3.
    """
    settings = settings_of(context)
    places = [_place(text) for text in letters or ()]
    found, origins = run(_read(settings, _filter(stage, error, topic, partition, since, until, ticket)))
    if places:
        known = {listed.place: listed for listed in found}
        if missing := [str(place) for place in places if place not in known]:
            raise BadSettings(f"{', '.join(missing)}: no such letter that fits. Try: triage deadletters list")
        found = [known[place] for place in sorted(set(places))]
    chosen = to_redrive(found, again=again)
    if skipped := len(found) - len(chosen):
        err.print(f"{skipped} left out: redriven already (--again redrives them), or repeats of others")
    chosen = chosen[:limit]
    outcome = Outcome(redriven=0, refused=())
    if not chosen:
        err.print("nothing to redrive")
    elif dry_run:
        outcome = _would_be(chosen, origins)
        err.print(f"would redrive {outcome.redriven} of {len(chosen)}")
    elif yes or typer.confirm(f"Redrive {len(chosen)} dead letters?", err=True):
        outcome = run(_redrive(settings, [listed.place for listed in chosen]))
        err.print(f"redriven: {outcome.redriven}")
    else:
        err.print("nothing was redriven")
        raise typer.Exit(EXIT_FAILED)
    for place, reason in outcome.refused:
        err.print(f"[yellow]{place} is refused:[/] {escape(reason)}", soft_wrap=True)
    if as_json:
        refused = {str(place): reason for place, reason in outcome.refused}
        fields = {"redriven": outcome.redriven, "refused": refused, "skipped": skipped, "dry_run": dry_run}
        print(json.dumps(fields, ensure_ascii=False))  # noqa: T201  for machines
    if outcome.refused:
        raise typer.Exit(EXIT_REFUSED)


def hex_dump(data: bytes, most: int = _SHOWN_BYTES) -> Iterator[str]:
    """Lines of offset, bytes in hexadecimal and as ASCII, of the first `most` bytes."""
    for start in range(0, min(len(data), most), _DUMP_WIDTH):
        part = data[start : min(start + _DUMP_WIDTH, most)]
        text = "".join(chr(byte) if byte in _PRINTABLE else "." for byte in part)
        yield f"{start:08x}  {part.hex(' '):<{3 * _DUMP_WIDTH}} {text}"
    if len(data) > most:
        yield f"... {len(data) - most:,} bytes more; --value FILE writes all"


def _place(text: str) -> Place:
    try:
        return Place.parse(text)
    except ValueError as error:
        raise BadSettings(str(error)) from None


def _filter(
    stage: str | None,
    error: str | None,
    topic: str | None,
    partition: int | None,
    since: str | None,
    until: str | None,
    ticket: str | None,
) -> LetterFilter:
    now = wiring.wall_clock()
    return LetterFilter(
        stage=stage,
        error=error,
        topic=topic,
        partition=partition,
        since=moment(since, now) if since else None,
        until=moment(until, now) if until else None,
        ticket=None if ticket is None else ticket.encode(errors="surrogateescape"),
    )


async def _read(settings: Settings, chosen: LetterFilter) -> tuple[list[Listed], Mapping[str, int]]:
    """The letters that fit, and the topics that records may go back to."""
    async with letter_reader(settings, wiring.all_topics(settings)) as letters:
        with _progress("reading") as show_progress:
            found = await letters.letters(since=chosen.since, on_progress=show_progress)
        return [listed for listed in found if chosen.fits(listed.letter)], letters.origins


async def _read_one(settings: Settings, place: Place) -> tuple[Record, Record | None]:
    """The letter's record and, where it leaves something out, the original's, if that is still there."""
    async with letter_reader(settings, wiring.all_topics(settings)) as letters:
        record = (await letters.records([place])).get(place)
        if record is None:
            raise BadSettings(f"there is no dead letter {place} (any more). Try: triage deadletters list")
        letter = DeadLetter.read(record.key, None, record.headers, failed_at=time_of(record))
        return record, await letters.original(letter.origin) if left_out(record.headers) else None


def _would_be(chosen: Sequence[Listed], origins: Mapping[str, int]) -> Outcome:
    reasons = [(listed.place, refusal(listed.letter, origins)) for listed in chosen]
    refused = tuple((place, reason) for place, reason in reasons if reason is not None)
    return Outcome(redriven=len(chosen) - len(refused), refused=refused)


async def _redrive(settings: Settings, places: Sequence[Place]) -> Outcome:
    options = {**settings.producer_options(), "message.max.bytes": _MOST_REDRIVEN_BYTES}
    async with letter_reader(settings, wiring.all_topics(settings)) as letters, Publisher(options) as publisher:
        with _progress("redriving") as show_progress:
            done = 0

            def on_progress(more: int) -> None:
                nonlocal done
                done += more
                show_progress(done, len(places))

            return await redrive(places, letters=letters, publisher=publisher, on_progress=on_progress)


async def _decoded(settings: Settings, topic: str, value: bytes | None) -> object:
    """The value as the word of its topic, or the reason why it cannot be read as one."""
    word = next((known.word for known in wiring.all_topics(settings) if known.name == topic), None)
    if word is None:
        return f"{topic or 'its topic'} has no schema here"
    codec = Codec()
    try:
        try:
            return codec.decode(value, word)
        except UnknownSchema as unknown:
            if settings.schema_registry_url is None:
                raise
            client = SchemaRegistry(settings.schema_registry_url, codec, login=settings.registry_login())
            async with client as registry:
                await registry.look_up(unknown.schema_id)
            return codec.decode(value, word)
    except (DeadLettered, RegistryUnavailable) as error:
        return str(error)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    with work_bar(err) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise BadSettings(f"{path} cannot be written: {error.strerror}") from error
    err.print(f"{len(data):,} bytes are in {escape(str(path))}", soft_wrap=True)


def _table(letters: Iterable[Listed]) -> Table:
    table = Table("letter", "failed at", "stage", "error", "stood at", "key", "message", "redriven")
    for column in table.columns[:2]:
        column.no_wrap = True
    for listed in letters:
        letter = listed.letter
        table.add_row(
            str(listed.place),
            _time(letter.failed_at),
            escape(letter.stage),
            escape(_short(letter.exception)),
            escape(_origin(letter)),
            escape(_key(letter.key)),
            escape(letter.message.partition("\n")[0][:120]),
            "" if listed.redriven_at is None else f"[green]{_time(listed.redriven_at)}[/]",
        )
    return table


def _counts(letters: Iterable[Listed]) -> Table:
    open_letters: Counter[tuple[str, str]] = Counter()
    all_letters: Counter[tuple[str, str]] = Counter()
    for listed in letters:
        kind = (listed.letter.stage, listed.letter.exception)
        all_letters[kind] += 1
        open_letters[kind] += listed.redriven_at is None
    table = Table("stage", "error", "letters", "not redriven")
    for column in table.columns[2:]:
        column.justify = "right"
    for kind, count in all_letters.most_common():
        table.add_row(*map(escape, kind), str(count), str(open_letters[kind]))
    return table


def _as_json(listed: Listed) -> dict[str, Any]:
    letter = listed.letter
    return {
        "place": str(listed.place),
        "failed_at": to_json(letter.failed_at),
        "stage": letter.stage,
        "exception": letter.exception,
        "message": letter.message,
        "origin": to_json(letter.origin),
        "key": to_json(letter.key),
        "value_bytes": listed.value_bytes,
        "left_out": listed.left_out,
        "redriven_at": to_json(listed.redriven_at),
    }


def _print_letter(place: Place, letter: DeadLetter, record: Record, whole: Record, word: object) -> None:
    def line(name: str, text: str) -> None:
        out.print(f"[bold]{name}[/] {escape(text)}", soft_wrap=True)

    line("letter   ", str(place))
    line("failed at", _time(letter.failed_at))
    line("stood at ", _origin(letter))
    line("stage    ", letter.stage)
    line("error    ", f"{letter.exception}: {letter.message}")
    line("key      ", _key(whole.key))
    if missing := left_out(record.headers):
        there = "read from where the record stood" if whole is not record else "no longer in Kafka either"
        line("left out ", f"{missing}: too large for the letter, {there}")
    out.print("[bold]headers[/]")
    for name, content in record.headers:
        if not name.endswith((".stacktrace", ".message")):
            out.print(f"  {escape(name)}: {escape(str(to_json(content)))}", soft_wrap=True)
    out.print("[bold]stack trace[/]")
    out.print(escape(letter.stacktrace.rstrip() or "(none)"), soft_wrap=True, highlight=False)
    if isinstance(word, str):
        line("value    ", "none" if whole.value is None else f"{len(whole.value):,} bytes; {word}")
        for dumped in hex_dump(whole.value or b""):
            out.print(escape(dumped), soft_wrap=True, highlight=False)
    else:
        line("value    ", f"{len(whole.value or b''):,} bytes, a {type(word).__name__}")
        out.print(escape(json.dumps(to_json(word), indent=2, ensure_ascii=False)), soft_wrap=True, highlight=False)


def _time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _origin(letter: DeadLetter) -> str:
    return f"{letter.origin.topic}[{letter.origin.partition}]@{letter.origin.offset}" if letter.has_origin else "?"


def _key(key: bytes | None) -> str:
    return "" if key is None else key.decode(errors="backslashreplace")[:60]


def _short(exception: str) -> str:
    return exception.rpartition(".")[2]
