"""`triage feedback`: what a person says of a ticket, published for the learn agent."""

from __future__ import annotations

import getpass
import uuid
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from models.teaching import taught
from schemas import topics
from schemas.codec import Codec
from schemas.errors import BadSettings, InvalidEvent
from schemas.feedback import Feedback, FeedbackKind
from streams import wiring
from streams.decoding import opened_decoder
from streams.publish import Outgoing, Publisher
from streams.settings import Settings
from streams.terminal import run, settings_of

app = typer.Typer(no_args_is_help=True, help="Tell the models what was right.")
out = Console()


class Field(StrEnum):
    """What can be corrected: schemas.events.HUMAN_FIELDS."""

    CATEGORY = "category"
    INTENT = "intent"
    PRIORITY = "priority"
    LANGUAGE = "language"
    SENTIMENT = "sentiment"
    TEAM = "team"


@app.callback()
def _feedback() -> None:
    """Keeps `correct` a command of its own while it is the only one."""


@app.command()
def correct(
    context: typer.Context,
    ticket: Annotated[str, typer.Argument(help="The ticket's id.")],
    field: Annotated[Field, typer.Option(help="What was wrong.")],
    value: Annotated[str, typer.Option(help="What is right: a label of the taxonomy.")],
    source: Annotated[str, typer.Option(help="The ticket's source.")],
    tenant: Annotated[str, typer.Option(help="The ticket's tenant.")] = "default",
    actor: Annotated[str | None, typer.Option(help="Who says so. Default: the user of this machine.")] = None,
) -> None:
    """Correct a field of a decision: near-identical tickets are decided so from then on.

    A worker with the role [b]learn[/b] has to run; it sends what it cannot join to the dead letters.
    """
    settings = settings_of(context)
    feedback = Feedback(
        feedback_id=str(uuid.uuid4()),
        kind=FeedbackKind.CORRECTION,
        ticket_id=ticket,
        source=source,
        tenant=tenant,
        field=field.value,
        value=value,
        actor=actor or getpass.getuser(),
        occurred_at=wiring.wall_clock(),
    )
    try:
        lesson = taught(feedback, wiring.load_taxonomy(settings))
    except InvalidEvent as error:
        raise BadSettings(str(error)) from error
    run(_publish(settings, feedback))
    teaches = "it teaches nothing" if lesson is None else f"it teaches {lesson.head} {lesson.label}"
    out.print(f"feedback [b]{feedback.feedback_id}[/] on {escape(ticket)} is recorded; {teaches}")


async def _publish(settings: Settings, feedback: Feedback) -> None:
    codec = Codec()
    async with (
        opened_decoder(settings, codec, written=[topics.FEEDBACK]),
        Publisher(settings.producer_options()) as publisher,
    ):
        await publisher.publish([feedback_record(feedback, codec)])


def feedback_record(feedback: Feedback, codec: Codec) -> Outgoing:
    """The record of `feedback`: keyed as its ticket's events, so that it stands in their partition."""
    return Outgoing(
        topic=topics.FEEDBACK.name,
        key=feedback.ticket_id.encode(),
        value=codec.encode(feedback),
        headers=[
            ("ce_specversion", b"1.0"),
            ("ce_id", feedback.feedback_id.encode()),
            ("ce_type", f"triage.feedback.{feedback.kind}.v1".encode()),
            ("ce_subject", feedback.ticket_id.encode()),
        ],
    )
