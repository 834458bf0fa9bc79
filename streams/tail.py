"""Reading topics as a person does: decoded, one record a line or a block."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.text import Text

from schemas.codec import Codec
from schemas.dead_letters import DeadLetter
from schemas.decisions import Assignment, Band, Decision, LogPosition
from schemas.errors import DeadLettered, TopicsDiffer, TriageError
from schemas.events import TicketEvent
from schemas.feedback import Feedback
from schemas.topics import DEAD_LETTERS, Topic
from schemas.words import Word
from streams.decoding import Decoder
from streams.registry import SchemaRegistry
from streams.settings import Settings
from streams.topic_admin import partition_counts

BAND_STYLE = {Band.AUTO: "green", Band.SUGGEST: "yellow", Band.REVIEW: "magenta"}
PRIORITY_STYLE = {"P1": "bold red", "P2": "yellow", "P3": "", "P4": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A record and what it means; `word` is the error where it cannot be read."""

    position: LogPosition
    timestamp: datetime
    key: bytes | None
    headers: dict[str, bytes | None]
    word: Word | DeadLettered


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
    partitions = await partition_counts([topic.name], settings)
    if topic.name not in partitions:
        raise TopicsDiffer(f"{topic.name} does not exist. Create the topics with: triage topics")
    codec = Codec()
    registry = (
        SchemaRegistry(settings.schema_registry_url, codec, login=settings.registry_login())
        if settings.schema_registry_url
        else None
    )
    decoder = Decoder(codec, registry)
    options: dict[str, Any] = settings.kafka_options()
    consumer = AIOKafkaConsumer(**options, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    if registry is not None:
        await registry.__aenter__()
    try:
        places = [TopicPartition(topic.name, number) for number in range(partitions[topic.name])]
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
        if registry is not None:
            await registry.__aexit__(None, None, None)


async def _read(record: Any, topic: Topic, decoder: Decoder) -> Read:
    timestamp = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    position = LogPosition(topic=record.topic, partition=record.partition, offset=record.offset)
    word: Word | DeadLettered
    if topic.word is None or topic.name == DEAD_LETTERS.name:
        word = DeadLetter.read(record.key, record.value, record.headers, failed_at=timestamp)
    else:
        word = await decoder.decode(record.value, topic.word)
    return Read(position=position, timestamp=timestamp, key=record.key, headers=dict(record.headers), word=word)


def one_line(record: Read) -> Text:
    """A record on one line, coloured."""
    place = f"{record.position.topic}[{record.position.partition}]@{record.position.offset}"
    line = Text.assemble((record.timestamp.strftime("%H:%M:%S.%f")[:-3], "dim"), " ", (place, "cyan"), " ")
    word = record.word
    if isinstance(word, TriageError):
        return line.append(f"unreadable: {word}", "red")
    if isinstance(word, DeadLetter):
        origin = f"{word.origin.topic}[{word.origin.partition}]@{word.origin.offset}"
        return line.append(f"{origin} {word.stage}: {word.exception}: {word.message}", "red")
    if isinstance(word, TicketEvent):
        return line.append(f"{word.ticket_id} {word.kind} ", "bold").append(word.subject or word.body[:80])
    if isinstance(word, Decision):
        heads = (word.category, word.intent, word.language, word.sentiment)
        text = " ".join(f"{head.label} {head.probability:.2f}" for head in heads)
        return _routed(line, word.ticket_id, word.priority.label, word.queue, word.band, text)
    if isinstance(word, Assignment):
        text = f"{word.category.label} {word.category.probability:.2f} {word.subject}"
        return _routed(line, word.ticket_id, word.priority, word.queue, word.band, text)
    return _feedback(line, word)


def _routed(line: Text, ticket: str, priority: str, queue: str, band: Band, text: str) -> Text:
    line.append(f"{ticket} ", "bold").append(f"{priority} ", PRIORITY_STYLE.get(priority, ""))
    return line.append(f"-> {queue} ", BAND_STYLE[band]).append(text)


def _feedback(line: Text, word: Feedback) -> Text:
    said = f"{word.field}={word.value}" if word.field else word.value or str(word.score)
    return line.append(f"{word.ticket_id} {word.kind} ", "bold").append(said)
