"""Reading topics as a person does: decoded, one record a line or a block."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.text import Text

from schemas.codec import Codec, to_json
from schemas.dead_letters import DeadLetter, Place, marked_place
from schemas.decisions import Assignment, Band, Decision, LogPosition
from schemas.errors import DeadLettered, TriageError
from schemas.events import TicketEvent
from schemas.feedback import Feedback
from schemas.held import HumanWord, human_word
from schemas.lessons import Lesson, activated_lessons
from schemas.model_log import ModelsActivated, ModelSet, ShadowCompared, SnapshotPublished, activated_version
from schemas.open_incidents import OpenIncidents, told_incidents
from schemas.topics import DEAD_LETTERS, EVENTS, MODEL_SNAPSHOTS, Topic
from schemas.words import Word
from streams.batches import position_of, time_of
from streams.decoding import Decoder, opened_decoder
from streams.reading import places_of
from streams.settings import Settings

BAND_STYLE = {Band.AUTO: "green", Band.SUGGEST: "yellow", Band.REVIEW: "magenta"}
PRIORITY_STYLE = {"P1": "bold red", "P2": "yellow", "P3": "", "P4": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A record and what it means.

    `word` is the error where it cannot be read, and the letter's place where it marks that a letter was redriven.
    """

    position: LogPosition
    timestamp: datetime
    key: bytes | None
    headers: dict[str, bytes | None]
    word: Word | DeadLettered | Place
    deletes: bool = False
    """What its key names is there no more."""
    activates: str | None = None
    """The models that take over by this record."""
    teaches: int | None = None
    """The last of the lessons that take effect by it."""
    opens: OpenIncidents | None = None
    """The incidents that are open from it on."""
    holds: HumanWord | None = None
    """What a person set, which holds from it on."""


async def tail(
    topic: Topic,
    settings: Settings,
    *,
    last: int | None,
    follow: bool,
    idle: timedelta = timedelta(milliseconds=500),
) -> AsyncIterator[Read]:
    """The records of `topic`: the `last` of each partition (None: all), then, with `follow`, what arrives.

    Joins no group and commits nothing.
    """
    places = [TopicPartition(*place) for place in await places_of([topic.name], settings)]
    options: dict[str, Any] = settings.kafka_options()
    consumer = AIOKafkaConsumer(**options, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        async with opened_decoder(settings, Codec()) as decoder:
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            starts = await consumer.beginning_offsets(places)
            for place in places:
                first = starts[place] if last is None else max(starts[place], ends[place] - last)
                consumer.seek(place, first)
            while True:
                fetched = await consumer.getmany(timeout_ms=idle // timedelta(milliseconds=1))
                for records in fetched.values():
                    for record in records:
                        yield await _read(record, topic, decoder)
                if not follow:
                    positions = [await consumer.position(place) for place in places]
                    if all(position >= ends[place] for place, position in zip(places, positions, strict=True)):
                        return
    finally:
        await consumer.stop()


async def _read(record: Any, topic: Topic, decoder: Decoder) -> Read:
    timestamp = time_of(record)
    word: Word | DeadLettered | Place
    if topic.word is None or topic.name == DEAD_LETTERS.name:
        word = marked_place(record.value, record.headers) or DeadLetter.read(
            record.key, record.value, record.headers, failed_at=timestamp
        )
    else:
        word = await decoder.decode(record.value, topic.word)
    return Read(
        position=position_of(record),
        timestamp=timestamp,
        key=record.key,
        headers=dict(record.headers),
        word=word,
        deletes=record.value is None and topic.name == MODEL_SNAPSHOTS.name,
        activates=activated_version(record.value, record.headers),
        teaches=activated_lessons(record.value, record.headers),
        opens=told_incidents(record.value, record.headers),
        holds=human_word(record.value, record.headers),
    )


def as_json(record: Read) -> dict[str, Any]:
    """A record for machines: where it stands, and its value or the error."""
    word = record.word
    if isinstance(word, Place):
        value: Any = {"redriven": str(word)}
    elif record.deletes:
        value = {"deleted": (record.key or b"").decode(errors="replace")}
    else:
        value = {"error": str(word)} if isinstance(word, TriageError) else to_json(word)
    return {**to_json(record.position), "value": value}


def one_line(record: Read) -> Text:  # noqa: C901  a case for each word
    """A record on one line, coloured."""
    place = f"{record.position.topic}[{record.position.partition}]@{record.position.offset}"
    line = Text.assemble((record.timestamp.strftime("%H:%M:%S.%f")[:-3], "dim"), " ", (place, "cyan"), " ")
    if (mark := _mark(record)) is not None:
        return line.append(*mark)
    match record.word:
        case TriageError() as error:
            line.append(f"unreadable: {error}", "red")
        case DeadLetter() as letter:
            origin = f"{letter.origin.topic}[{letter.origin.partition}]@{letter.origin.offset}"
            line.append(f"{origin} {letter.stage}: {letter.exception}: {letter.message}", "red")
        case TicketEvent() as event:
            line.append(f"{event.ticket_id} {event.kind} ", "bold").append(event.subject or event.body[:80])
        case Decision() as made:
            heads = (made.category, made.intent, made.language, made.sentiment)
            text = " ".join(f"{head.label} {head.probability:.2f}" for head in heads)
            _routed(line, made.ticket_id, made.priority.label, made.queue, made.band, text)
        case Assignment() as made:
            text = f"{made.category.label} {made.category.probability:.2f} {made.subject}"
            _routed(line, made.ticket_id, made.priority, made.queue, made.band, text)
        case ModelSet() as known:
            line.append(f"{known.version} ", "bold").append(", ".join(sorted({*known.heads.values()})))
        case ModelsActivated() as live:
            since = "the beginning" if live.partition < 0 else f"{EVENTS.name}[{live.partition}]@{live.offset}"
            line.append(f"{live.version} ", "bold").append(f"decides since {since}")
        case SnapshotPublished() as kept:
            line.append(f"{kept.version} ", "bold").append(f"lessons up to {kept.lesson} in {kept.store}")
        case ShadowCompared() as one:
            line.append(f"{one.challenger} {one.head} ", "bold")
            line.append(f"beside {one.live}: {one.difference:+.3f} nats after {one.lessons:,} lessons, {one.verdict}")
        case Lesson() as lesson:
            said = [f"takes back {lesson.revokes}"] if lesson.revokes is not None else []
            said += [f"{lesson.head}={lesson.label}"] if lesson.teaches else []
            said += [f"audit: {one.head} {'right' if one.right else 'wrong'}" for one in lesson.audit]
            line.append(f"{lesson.ticket_id} ", "bold").append(", ".join(said))
        case Feedback() as word:
            said = f"{word.field}={word.value}" if word.field else word.value or str(word.score)
            line.append(f"{word.ticket_id} {word.kind} ", "bold").append(said)
    return line


def _mark(record: Read) -> tuple[str, str] | None:
    """What a record without a value marks, and its style."""
    if isinstance(record.word, Place):
        return f"redriven: {record.word}", "green"
    if record.opens is not None:
        names = ", ".join(f"{one.incident_id} of {one.team}" for one in record.opens.incidents)
        return f"open incidents: {names or 'none'}", "bold"
    if record.teaches is not None:
        return f"lessons up to {record.teaches} take effect", "bold"
    if (held := record.holds) is not None:
        said = f"takes back {held.revokes}" if held.revokes else f"{held.field}={held.value} holds"
        return f"{held.ticket_id} {said}", "bold"
    if record.deletes:
        return f"{(record.key or b'').decode(errors='replace')} is deleted", "dim"
    return None if record.activates is None else (f"{record.activates} takes over", "bold")


def _routed(line: Text, ticket: str, priority: str, queue: str, band: Band, text: str) -> None:
    line.append(f"{ticket} ", "bold").append(f"{priority} ", PRIORITY_STYLE.get(priority, ""))
    line.append(f"-> {queue} ", BAND_STYLE[band]).append(text)
