"""`triage feedback`: what a person says of a ticket, published for the learn agent."""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from models.teaching import standing, taught
from schemas import topics
from schemas.codec import Codec
from schemas.errors import BadSettings, InvalidEvent
from schemas.feedback import Feedback, FeedbackKind
from schemas.lessons import Lesson
from streams import wiring
from streams.decoding import opened_decoder
from streams.lessons import LessonReader
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


class Head(StrEnum):
    """What lessons are about: schemas.lessons.LEARNED_HEADS."""

    CATEGORY = "category"
    INTENT = "intent"
    PRIORITY = "priority"
    SENTIMENT = "sentiment"


@app.command()
def correct(
    context: typer.Context,
    ticket: Annotated[str, typer.Argument(help="The ticket's id.")],
    field: Annotated[Field, typer.Option(help="What was wrong.")],
    value: Annotated[str, typer.Option(help="What is right: a label of the taxonomy, or of the sentiment.")],
    source: Annotated[str, typer.Option(help="The ticket's source.")],
    tenant: Annotated[str, typer.Option(help="The ticket's tenant.")] = "default",
    actor: Annotated[str | None, typer.Option(help="Who says so. Default: the user of this machine.")] = None,
) -> None:
    """Correct a field of a decision: the ticket keeps it, and near-identical ones are decided so from then on.

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
    out.print(f"feedback [b]{feedback.feedback_id}[/] on {escape(ticket)} is recorded; {teaches}; the ticket keeps it")


@app.command()
def undo(
    context: typer.Context,
    ticket: Annotated[str | None, typer.Argument(help="The ticket's id; not needed with --id.")] = None,
    source: Annotated[str | None, typer.Option(help="The ticket's source.")] = None,
    field: Annotated[
        Head | None, typer.Option(help="What the lesson is about: the newest one of the ticket is taken back.")
    ] = None,
    feedback_id: Annotated[
        str | None, typer.Option("--id", help="The feedback, as `correct` printed it, instead of a ticket.")
    ] = None,
    tenant: Annotated[str, typer.Option(help="The ticket's tenant.")] = "default",
    actor: Annotated[str | None, typer.Option(help="Who says so. Default: the user of this machine.")] = None,
) -> None:
    """Take back what a correction or a reassignment taught: later decisions are made as if it had not been said.

    By the ticket, its source and a field, or by the feedback's id. A worker with the role [b]learn[/b] has to run.
    Decisions that were made stay.
    """
    settings = settings_of(context)
    by_ticket = (ticket, source, field)
    if feedback_id is None and None in by_ticket:
        raise BadSettings("name a ticket with --source and --field, or the feedback with --id")
    if feedback_id is not None and any(by_ticket):
        raise BadSettings("--id names the feedback alone: leave out the ticket, --source and --field")

    def is_meant(lesson: Lesson) -> bool:
        if feedback_id is not None:
            return lesson.feedback_id == feedback_id
        place = (lesson.ticket_id, lesson.source, lesson.tenant, lesson.head)
        return field is not None and place == (ticket, source, tenant, field.value)

    lesson = run(_undo(settings, is_meant, actor or getpass.getuser()))
    out.print(
        f"feedback [b]{escape(lesson.feedback_id)}[/] on {escape(lesson.ticket_id)} is taken back; "
        f"{f'it taught {lesson.head} {escape(lesson.label)}' if lesson.teaches else 'it said how an audit came out'}"
    )


async def _undo(settings: Settings, is_meant: Callable[[Lesson], bool], actor: str) -> Lesson:
    """Publish that the newest lesson that `is_meant` is taken back; gives it. Raises BadSettings where none counts."""
    codec = Codec()
    async with opened_decoder(settings, codec, written=[topics.FEEDBACK]) as decoder:
        async with LessonReader(settings, decoder) as source:
            end = await source.end()
            lessons = await source.lessons(await source.start(), end - 1) if end else []
        counting = [item for item in standing(lessons) if is_meant(item)]
        if not counting:
            raise BadSettings(
                f"{topics.LESSONS.name} has no such lesson that counts: it taught nothing, was taken back already, or "
                "no worker with the role learn has come to it yet. To look: triage tail models.lessons"
            )
        lesson = counting[-1]
        feedback = Feedback(
            feedback_id=str(uuid.uuid4()),
            kind=FeedbackKind.RETRACTION,
            ticket_id=lesson.ticket_id,
            source=lesson.source,
            tenant=lesson.tenant,
            field=lesson.head or None,
            value=lesson.feedback_id,
            actor=actor,
            occurred_at=wiring.wall_clock(),
        )
        async with Publisher(settings.producer_options()) as publisher:
            await publisher.publish([feedback_record(feedback, codec)])
    return lesson


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
