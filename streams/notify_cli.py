"""The command `triage notify test`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.alerts import Alert, AlertKind, AlertStage, SpikeCause, SpikeSize
from schemas.errors import BadSettings, ReceiverAway, ReceiverRefused
from sinks.notify.receivers import Receiver
from sinks.notify.sender import Sender
from streams import wiring
from streams.settings import Settings
from streams.terminal import EXIT_FAILED, run, settings_of
from streams.watch import EXIT_TRY_LATER

app = typer.Typer(no_args_is_help=True, help="Who is told of alerts.")
out = Console()
err = Console(stderr=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one receiver said to one word. `refused` for good, or merely `away`; neither is a yes."""

    receiver: str
    stage: AlertStage
    answer: str
    away: bool = False
    refused: bool = False


@app.callback()
def _group() -> None:
    """A group, so that `test` is a command by its name."""


@app.command("test")
def send_test(
    context: typer.Context,
    team: Annotated[str, typer.Option(help="The team that the test alert names as its owner.")] = "service-desk",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, for machines.")] = False,
) -> None:
    """Tell every receiver that is set of a test alert, and at once that it is over; print what they answer.

    It says that it is a test, and pages whoever is on call. Exit code 1: a receiver refused it; 75: one is away.
    """
    settings = settings_of(context)
    receivers = wiring.receivers(settings)
    if not receivers:
        raise BadSettings(
            "no receiver is set: TRIAGE_NOTIFY_PAGERDUTY_ROUTING_KEY, TRIAGE_NOTIFY_SLACK_URL, "
            "TRIAGE_NOTIFY_ALERTMANAGER_URL or TRIAGE_NOTIFY_WEBHOOK_URL with TRIAGE_NOTIFY_WEBHOOK_SECRET"
        )
    told = run(_tell_all(settings, receivers, example(wiring.wall_clock(), team)))
    if as_json:
        print(json.dumps([_as_json(one) for one in told], ensure_ascii=False))  # noqa: T201  for machines
    else:
        table = Table("receiver", "what", "answer")
        for one in told:
            style = "red" if one.refused else "yellow" if one.away else "green"
            table.add_row(one.receiver, one.stage.value, f"[{style}]{escape(one.answer)}[/]")
        out.print(table)
    if any(one.refused for one in told):
        raise typer.Exit(EXIT_FAILED)
    if any(one.away for one in told):
        raise typer.Exit(EXIT_TRY_LATER)


def example(now: datetime, team: str) -> Alert:
    """A test alert; each has a dedup key of its own."""
    return Alert(
        incident_id=f"triage-test-{int(now.timestamp() * 1000)}",
        kind=AlertKind.SPIKE,
        stage=AlertStage.OPENED,
        subject="a test, nothing has happened",
        team=team,
        opened_at=now - timedelta(minutes=3),
        at=now,
        size=SpikeSize(observed=57, expected=4.2, score=9.0),
        cause=SpikeCause(examples=("TEST-1", "TEST-2"), first_ticket="TEST-1", requesters=41),
        note="this is a test of triage notify test",
    )


async def _tell_all(settings: Settings, receivers: list[Receiver], opened: Alert) -> list[Told]:
    answers = await asyncio.gather(*(_tell(settings, receiver, opened) for receiver in receivers))
    return [told for of_one in answers for told in of_one]


async def _tell(settings: Settings, receiver: Receiver, opened: Alert) -> list[Told]:
    """Open and resolve at one receiver; what was not opened is not resolved."""
    told: list[Told] = []
    async with Sender(receiver, wiring.wall_clock, tls=settings.notify_tls()) as sender:
        for alert in (opened, replace(opened, stage=AlertStage.RESOLVED)):
            stage = alert.stage
            try:
                answer = await sender.send(receiver.request(alert, wiring.wall_clock()))
            except ReceiverAway as away:
                told.append(Told(receiver=receiver.name, stage=stage, answer=str(away), away=True))
                break
            except ReceiverRefused as refused:
                told.append(Told(receiver=receiver.name, stage=stage, answer=str(refused), refused=True))
                break
            told.append(Told(receiver=receiver.name, stage=stage, answer=f"{answer.status} {answer.text}".strip()))
    return told


def _as_json(told: Told) -> dict[str, Any]:
    return {
        "receiver": told.receiver,
        "stage": told.stage.value,
        "accepted": not (told.away or told.refused),
        "answer": told.answer,
    }
