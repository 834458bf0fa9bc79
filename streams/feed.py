"""Feeding files: JSONL or CSV rows become ticket events on the events topic."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePath
from typing import TextIO

from schemas import topics
from schemas.cloudevents import event_headers
from schemas.codec import Codec
from schemas.errors import BadSettings, InvalidEvent
from schemas.events import HUMAN_FIELDS, EventKind, TicketEvent
from streams.publish import Outgoing, Publisher

BATCH = 500
MOST_ROW_BYTES = 1_000_000
"""Of a row, as JSON: its event fits into a record with its headers."""

_LAST_SECOND = 1e11  # in the year 5138: what is larger are milliseconds since 1970

_MOST_FIELD_CHARACTERS = 100 * MOST_ROW_BYTES
"""Of CSV: the row's own limit says what is wrong with a large one, Python's small default would end the file."""

# What the columns of other systems' exports are commonly called, best first.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "event_id": ("event_id",),
    "kind": ("kind", "event_kind"),
    "ticket_id": ("ticket_id", "ticket", "id", "number"),
    "source": ("source",),
    "tenant": ("tenant",),
    "channel": ("channel", "via"),
    "requester": ("requester", "requester_id", "email", "customer", "user"),
    "subject": ("subject", "title", "short_description", "summary"),
    "body": ("body", "text", "description", "message", "content"),
    "language_hint": ("language_hint", "language", "lang", "locale"),
    "tags": ("tags", "labels"),
    "customer_tier": ("customer_tier", "tier"),
    "product": ("product", "product_name", "application"),
    "occurred_at": ("occurred_at", "created_at", "timestamp", "date"),
    **{f"human_{name}": (f"human_{name}",) for name in sorted(HUMAN_FIELDS)},
}


class Layout(StrEnum):
    """How a file's rows are written."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that is no ticket event; `line` counts from 1."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReader:
    """Makes events of rows. `columns` maps a field to the column that holds it, before the usual names.

    A row without a ticket id gets one that follows from its content and line, so that feeding a file twice gives
    the same events. `start` stands for the time where a row has none.
    """

    source: str
    tenant: str
    start: datetime
    columns: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if unknown := self.columns.keys() - ALIASES.keys():
            raise BadSettings(f"{min(unknown)!r} is no field of an event; there are {', '.join(ALIASES)}")

    def event(self, row: Mapping[str, object], line: int) -> TicketEvent:
        """The event in `row`. Raises InvalidEvent with what is wrong."""
        text = json.dumps(row, sort_keys=True, ensure_ascii=False, default=str)
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise InvalidEvent("the row is not UTF-8 text; save the file as UTF-8") from error
        if size > MOST_ROW_BYTES:
            raise InvalidEvent(f"the row has {size} bytes, {MOST_ROW_BYTES} are the most")
        digest = hashlib.sha256(f"{self.source}\0{line}\0{text}".encode()).hexdigest()[:16]
        ticket_id = self._text(row, "ticket_id") or f"{self.source}-{digest}"
        kind = self._text(row, "kind") or EventKind.CREATED.value
        if kind not in [known.value for known in EventKind]:
            raise InvalidEvent(f"kind is {kind!r}; it is one of {', '.join(EventKind)}")
        subject, body = self._text(row, "subject"), self._text(row, "body")
        if not subject and not body:
            raise InvalidEvent("neither subject nor body holds text; name their columns with --column subject=NAME")
        event = TicketEvent(
            event_id=self._text(row, "event_id") or f"{ticket_id}-{digest}",
            kind=EventKind(kind),
            ticket_id=ticket_id,
            source=self._text(row, "source") or self.source,
            tenant=self._text(row, "tenant") or self.tenant,
            subject=subject,
            body=body,
            requester=self._text(row, "requester"),
            language_hint=(self._text(row, "language_hint").lower()[:2]) or None,
            tags=self._tags(row),
            customer_tier=self._text(row, "customer_tier") or None,
            human_set={name: value for name in sorted(HUMAN_FIELDS) if (value := self._text(row, f"human_{name}"))},
            occurred_at=self._time(row),
            product=self._text(row, "product"),
        )
        channel = self._text(row, "channel")
        return replace(event, channel=channel) if channel else event

    def _value(self, row: Mapping[str, object], name: str) -> object:
        if name in self.columns:
            return row.get(self.columns[name])
        return next((row[column] for column in ALIASES[name] if row.get(column) not in (None, "")), None)

    def _text(self, row: Mapping[str, object], name: str) -> str:
        value = self._value(row, name)
        if value is None:
            return ""
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value).strip()
        raise InvalidEvent(f"{name} is {type(value).__name__}, not text")

    def _tags(self, row: Mapping[str, object]) -> tuple[str, ...]:
        value = self._value(row, "tags")
        if isinstance(value, list):
            return tuple(str(tag) for tag in value if tag)
        return tuple(tag for tag in str(value or "").replace(";", ",").split(",") if tag.strip())

    def _time(self, row: Mapping[str, object]) -> datetime:
        value = self._value(row, "occurred_at")
        if value is None:
            return self.start
        try:
            if isinstance(value, int | float):
                return datetime.fromtimestamp(value / 1000 if value > _LAST_SECOND else value, UTC)
            time = datetime.fromisoformat(str(value))
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise InvalidEvent(f"occurred_at is {value!r}, no time in ISO 8601 or since 1970") from error


def read_rows(lines: TextIO, layout: Layout, reader: RowReader) -> Iterator[tuple[int, TicketEvent | Rejected]]:
    """Each row's event, or why there is none, with the number of characters read."""
    rows = _csv_rows(lines) if layout is Layout.CSV else _jsonl_rows(lines)
    for line, row, text in rows:
        if isinstance(row, str):
            yield len(text), Rejected(line=line, reason=row, text=text)
            continue
        try:
            yield len(text), reader.event(row, line)
        except InvalidEvent as error:
            yield len(text), Rejected(line=line, reason=str(error), text=text)
        except RecursionError:
            yield len(text), Rejected(line=line, reason="nested too deeply", text=text)


def layout_of(name: str) -> Layout:
    """The layout that a file's name tells. Raises BadSettings where it tells none."""
    match PurePath(name).suffix.lower():
        case ".csv":
            return Layout.CSV
        case ".jsonl" | ".ndjson" | ".json":
            return Layout.JSONL
        case _:
            raise BadSettings(f"{name}: the name tells neither JSONL nor CSV; say --format jsonl or --format csv")


def outgoing(event: TicketEvent, codec: Codec) -> Outgoing:
    """The record of `event` on the events topic."""
    return Outgoing(
        topic=topics.EVENTS.name,
        key=event.ticket_id.encode(),
        value=codec.encode(event),
        headers=event_headers(event),
    )


async def feed(
    rows: Iterable[tuple[int, TicketEvent | Rejected]],
    *,
    codec: Codec,
    publisher: Publisher,
    on_progress: Callable[[int, int], None],
    on_rejected: Callable[[Rejected], None],
) -> tuple[int, int]:
    """Publish the events in `rows`; gives how many were fed and how many rejected.

    `on_progress` gets the events and the characters done since its last call, after the brokers have acknowledged.
    """
    fed = rejected = characters = 0
    batch: list[Outgoing] = []

    async def flush() -> None:
        nonlocal fed, characters
        await publisher.publish(batch)
        fed += len(batch)
        on_progress(len(batch), characters)
        characters = 0
        batch.clear()

    for size, event in rows:
        characters += size
        if isinstance(event, Rejected):
            rejected += 1
            on_rejected(event)
            continue
        batch.append(outgoing(event, codec))
        if len(batch) >= BATCH:
            await flush()
    await flush()
    return fed, rejected


def _jsonl_rows(lines: TextIO) -> Iterator[tuple[int, dict[str, object] | str, str]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"not JSON: {error}", line
            continue
        yield number, row if isinstance(row, dict) else f"a JSON {type(row).__name__}, not an object", line


def _csv_rows(lines: TextIO) -> Iterator[tuple[int, dict[str, object] | str, str]]:
    csv.field_size_limit(_MOST_FIELD_CHARACTERS)
    reader = csv.DictReader(lines)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"not CSV: {error}", ""
            continue
        text = ",".join(str(value) for value in row.values())
        if None in row:
            yield (
                reader.line_num,
                f"more than the {len(reader.fieldnames or ())} columns of the first line",
                text,
            )
        else:
            yield reader.line_num, dict(row), text
