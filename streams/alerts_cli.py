"""`triage alerts`: the incidents that are open, and what a person says to one."""

from __future__ import annotations

import asyncio
import getpass
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas import topics
from schemas.alerts import Alert, AlertAnswer, AlertAnswered, AlertKind, AlertStage, AnswerKind
from schemas.codec import Codec, to_json
from schemas.errors import BadSettings, InvalidEvent
from sinks.notify.notices import answered
from streams import wiring
from streams.decoding import Decoder, opened_decoder
from streams.publish import Outgoing, Publisher
from streams.reading import Place, Reader, places_of, reader
from streams.settings import Settings
from streams.terminal import run, settings_of
from streams.times import duration

app = typer.Typer(no_args_is_help=True, help="Incidents that are open, and what people say to them.")
out = Console()
err = Console(stderr=True)

_TAKEN_IN_WITHIN = timedelta(seconds=10)
_ASK_EVERY = timedelta(milliseconds=300)
_SHOWN_OF_AN_ID = 8

Incident = Annotated[str, typer.Argument(help="Its id, or as much of it as no other begins with: triage alerts list.")]
Actor = Annotated[str | None, typer.Option("--by", help="Who says so. Default: the user of this machine.")]
Reason = Annotated[str, typer.Option(help="Why, for those who read it later.")]


class AlertLog:
    """The newest word on each incident, as the topic has them."""

    def __init__(self, source: Reader, decoder: Decoder, places: list[Place]) -> None:
        self.newest: dict[str, Alert] = {}
        self._source = source
        self._decoder = decoder
        self._places = places
        self._read: Mapping[Place, int] = {}

    async def read_on(self) -> None:
        """Take in what has come; what cannot be read is left out."""
        bounds = await self._source.bounds(self._places)
        ranges = {place: (max(start, self._read.get(place, 0)), end) for place, (start, end) in bounds.items()}
        async for batch in self._source.read(ranges):
            for record in batch:
                word = await self._decoder.decode(record.value, Alert)
                known = self.newest.get(word.incident_id) if isinstance(word, Alert) else None
                if isinstance(word, Alert) and (known is None or word.at >= known.at):
                    self.newest[word.incident_id] = word
        self._read = {place: end for place, (_, end) in bounds.items()}

    @property
    def open_incidents(self) -> list[Alert]:
        """The newest word on each incident that is not over, the oldest first."""
        found = [word for word in self.newest.values() if word.stage is not AlertStage.RESOLVED]
        return sorted(found, key=lambda word: (word.opened_at, word.incident_id))

    def find(self, name: str) -> Alert:
        """The open incident whose id begins with `name`. Raises BadSettings where that is none, or several."""
        if name in self.newest:
            found = [self.newest[name]]
        else:
            found = [word for word in self.newest.values() if name and word.incident_id.startswith(name)]
        still_open = [word for word in found if word.stage is not AlertStage.RESOLVED]
        if len(still_open) == 1:
            return still_open[0]
        if still_open:
            names = ", ".join(sorted(word.incident_id for word in still_open))
            raise BadSettings(f"{len(still_open)} open incidents begin with {name!r}, write more of it: {names}")
        if len(found) == 1:
            raise BadSettings(f"incident {found[0].incident_id} is over since {found[0].at:%Y-%m-%d %H:%M} UTC")
        raise BadSettings(f"there is no open incident {name!r}: triage alerts list shows those there are")


@app.command("list")
def list_open(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, for machines.")] = False,
) -> None:
    """The incidents that are open, the oldest first, with what people said to them."""
    words = run(_open_incidents(settings_of(context)))
    if as_json:
        print(json.dumps([to_json(word) for word in words], ensure_ascii=False))  # noqa: T201  for machines
        return
    if not words:
        out.print("no incident is open")
        return
    table = Table("incident", "what", "team", "since (UTC)", "tickets", "usual", "pages", "answered")
    shown = _shown_length([word.incident_id for word in words])
    for word in words:
        table.add_row(
            escape(word.incident_id[:shown]),
            escape(word.subject),
            escape(word.team),
            f"{word.opened_at:%Y-%m-%d %H:%M}",
            f"{word.size.observed:.0f}",
            f"{word.size.expected:.1f}",
            "yes" if word.page else escape(f"no: {word.note}" if word.note else "no"),
            escape("; ".join(map(answered, word.answers))),
        )
    out.print(table)


@app.command()
def ack(context: typer.Context, incident: Incident, by: Actor = None, reason: Reason = "") -> None:
    """Take an incident: receivers hear that somebody has it, and PagerDuty wakes nobody else."""
    _answer(context, incident, AnswerKind.ACKNOWLEDGED, by, reason)


@app.command()
def mute(
    context: typer.Context,
    incident: Incident,
    how_long: Annotated[str, typer.Option("--for", help="How long: 90m, 2h, 3d; 30 days at most.")] = "2h",
    by: Actor = None,
    reason: Reason = "",
) -> None:
    """Page nobody for the incident's series for a while. New incidents of them are told of all the same."""
    _answer(context, incident, AnswerKind.MUTED, by, reason, duration(how_long))


@app.command()
def dismiss(context: typer.Context, incident: Incident, by: Actor = None, reason: Reason = "") -> None:
    """Call an incident noise: its series need more to open the next one, less so as weeks pass."""
    _answer(context, incident, AnswerKind.DISMISSED, by, reason)


def _answer(
    context: typer.Context,
    incident: str,
    kind: AnswerKind,
    actor: str | None,
    reason: str,
    how_long: timedelta = timedelta(0),
) -> None:
    run(_say(settings_of(context), incident, kind, actor or getpass.getuser(), reason, how_long))


async def _open_incidents(settings: Settings) -> list[Alert]:
    async with _alert_log(settings, Codec()) as alerts:
        return alerts.open_incidents


async def _say(settings: Settings, name: str, kind: AnswerKind, actor: str, reason: str, how_long: timedelta) -> None:
    codec = Codec()
    async with _alert_log(settings, codec) as alerts:
        incident = alerts.find(name)
        if incident.kind is not AlertKind.SPIKE:
            raise BadSettings(
                f"incident {incident.incident_id} is no spike but {incident.kind.value}: it takes no answer, and ends "
                "by itself"
            )
        earlier = next((one for one in incident.answers if one.kind is kind), None)
        if earlier is not None and kind is not AnswerKind.MUTED:
            out.print(f"nothing to do, it is {escape(answered(earlier))}", soft_wrap=True)
            return
        try:
            said = AlertAnswered(
                answer_id=str(uuid.uuid4()),
                incident_id=incident.incident_id,
                kind=kind,
                actor=actor,
                reason=reason,
                mute_ms=how_long // timedelta(milliseconds=1),
                occurred_at=wiring.wall_clock(),
            )
        except InvalidEvent as error:
            raise BadSettings(str(error)) from error
        async with Publisher(settings.producer_options()) as publisher:
            await publisher.publish([answer_record(said, codec)])
        answer = await _taken_in(alerts, said)
        if answer is not None:
            out.print(escape(f"{incident.subject} ({incident.incident_id}) is {answered(answer)}"), soft_wrap=True)
        elif alerts.newest[incident.incident_id].stage is AlertStage.RESOLVED:
            err.print(f"[yellow]{escape(incident.incident_id)} ended meanwhile: nothing is changed[/]", soft_wrap=True)
        else:
            err.print(
                f"[yellow]recorded[/], and not taken in within {_TAKEN_IN_WITHIN.total_seconds():.0f} s: it holds once "
                "a worker with the role [b]watch[/b] comes to it, where the incident is still open then",
                soft_wrap=True,
            )


def answer_record(said: AlertAnswered, codec: Codec) -> Outgoing:
    """The record of an answer: among the counts, which have one order."""
    return Outgoing(topic=topics.COUNTS.name, key=said.key, value=codec.encode(said), partition=0)


async def _taken_in(alerts: AlertLog, said: AlertAnswered) -> AlertAnswer | None:
    """The answer as the watch tells it; None where it does not within a while, or the incident has ended."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _TAKEN_IN_WITHIN.total_seconds()
    while True:
        await alerts.read_on()
        word = alerts.newest[said.incident_id]
        found = next((one for one in word.answers if one.answer_id == said.answer_id), None)
        if found is not None or word.stage is AlertStage.RESOLVED or loop.time() >= until:
            return found
        await asyncio.sleep(_ASK_EVERY.total_seconds())


@asynccontextmanager
async def _alert_log(settings: Settings, codec: Codec) -> AsyncIterator[AlertLog]:
    async with opened_decoder(settings, codec) as decoder, reader(settings, prompt=True) as source:
        alerts = AlertLog(source, decoder, await places_of([topics.ALERTS.name], settings))
        await alerts.read_on()
        yield alerts


def _shown_length(names: list[str]) -> int:
    """How many characters tell `names` apart."""
    longest = max(map(len, names))
    return next(
        (length for length in range(_SHOWN_OF_AN_ID, longest) if len({name[:length] for name in names}) == len(names)),
        longest,
    )
