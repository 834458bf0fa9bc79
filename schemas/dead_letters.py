"""The dead letter: bytes that could not be handled, unchanged, and why, in the headers of KIP-1034; and its way back.

A letter is redriven by publishing the original record again where it stood. Then a mark follows on the dead-letter
topic, in the letter's partition: a record without a value whose header `triage_redriven` names the letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from schemas.decisions import LogPosition

PREFIX = "__streams.errors."
STAGE_HEADER = "triage_stage"
REDRIVEN_HEADER = "triage_redriven"
"""On a redriven record: the letter that it was. On the dead-letter topic without error headers: a mark."""
LEFT_OUT_HEADER = "triage_left_out"
"""What of the original record was too large to go along, with its bytes: `value=2000000 headers=300`."""

MOST_MESSAGE_BYTES = 2 * 1024
MOST_STACKTRACE_BYTES = 16 * 1024

_RECORD_BYTES, _HEADER_BYTES = 256, 16
"""More than Kafka's own framing of a record and of a header takes."""

_MOST_PARTITION, _MOST_OFFSET = 2**31 - 1, 2**63 - 1

Header = tuple[str, bytes | None]


class Place(NamedTuple):
    """Where a letter stands on the dead-letter topic, written `<partition>:<offset>`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """The place that `text` names. Raises ValueError where it names none."""
        match = re.fullmatch(r"(\d{1,10}):(\d{1,19})", text, re.ASCII)
        if match is None:
            raise ValueError(f"{text!r} is no place of a letter: write PARTITION:OFFSET, such as 3:17")
        return cls(int(match[1]), int(match[2]))


class Kept(NamedTuple):
    """A record's key, value and headers as they go to the dead-letter topic."""

    key: bytes | None
    value: bytes | None
    headers: list[Header]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One record that could not be handled.

    `origin` is where it stood, `stage` what was being done with it, `exception` the error's class.
    On the topic, `key`, `value` and the headers of the original record are untouched and all else is in added headers.
    """

    origin: LogPosition
    stage: str
    exception: str
    message: str
    stacktrace: str
    key: bytes | None
    value: bytes | None
    failed_at: datetime

    def headers(self, original: Iterable[Header] = ()) -> list[Header]:
        """The record's own headers, then those of KIP-1034 and the stage."""
        added = {
            "exception": self.exception,
            "message": self.message,
            "stacktrace": self.stacktrace,
            "topic": self.origin.topic,
            "partition": str(self.origin.partition),
            "offset": str(self.origin.offset),
        }
        kept = [(name, value) for name, value in original if not _is_ours(name)]
        return [
            *kept,
            *((PREFIX + name, _encoded(text)) for name, text in added.items()),
            (STAGE_HEADER, _encoded(self.stage)),
        ]

    def fitted(self, original: Sequence[Header], *, most_bytes: int) -> Kept:
        """Key, value and headers of the letter's record, at most `most_bytes` with Kafka's framing.

        What does not fit is left out, the value first, then the original's headers, then the key; the last header
        says so. It still stands at `origin`.
        """
        kept = Kept(self.key, self.value, self.headers(original))
        parts = {
            "value": len(self.value or b""),
            "headers": sum(len(name.encode()) + len(value or b"") for name, value in original),
            "key": len(self.key or b""),
        }
        left_out: list[str] = []
        for name, size in parts.items():
            if _record_bytes(kept) <= most_bytes:
                break
            if size:
                left_out.append(name)
                kept = Kept(
                    None if "key" in left_out else self.key,
                    b"" if "value" in left_out else self.value,
                    [
                        *self.headers(() if "headers" in left_out else original),
                        (LEFT_OUT_HEADER, " ".join(f"{part}={parts[part]}" for part in left_out).encode()),
                    ],
                )
        return kept

    @property
    def has_origin(self) -> bool:
        """Whether it says where the record stood; the letter of a foreign writer may not."""
        return bool(self.origin.topic) and self.origin.partition >= 0 and self.origin.offset >= 0

    @classmethod
    def read(
        cls, key: bytes | None, value: bytes | None, headers: Sequence[Header], *, failed_at: datetime
    ) -> DeadLetter:
        """Read a record of the dead-letter topic back; what a foreign writer left out is empty, offsets are -1."""
        texts = {name: content.decode(errors="replace") for name, content in headers if content is not None}
        return cls(
            origin=LogPosition(
                topic=texts.get(PREFIX + "topic", ""),
                partition=_number(texts.get(PREFIX + "partition"), _MOST_PARTITION),
                offset=_number(texts.get(PREFIX + "offset"), _MOST_OFFSET),
            ),
            stage=texts.get(STAGE_HEADER, ""),
            exception=texts.get(PREFIX + "exception", ""),
            message=texts.get(PREFIX + "message", ""),
            stacktrace=texts.get(PREFIX + "stacktrace", ""),
            key=key,
            value=value,
            failed_at=failed_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFilter:
    """Which letters are meant; None is any. `since` is included, `until` is not."""

    stage: str | None = None
    error: str | None = None
    """The end of the error's class, from a dot on: `NotFramed` or `errors.NotFramed`."""
    topic: str | None = None
    partition: int | None = None
    """Of the origin."""
    since: datetime | None = None
    until: datetime | None = None
    ticket: bytes | None = None
    """The record's key."""

    def fits(self, letter: DeadLetter) -> bool:
        """Whether `letter` is meant."""
        return (
            self.stage in (None, letter.stage)
            and (self.error is None or f".{letter.exception}".endswith(f".{self.error}"))
            and self.topic in (None, letter.origin.topic)
            and self.partition in (None, letter.origin.partition)
            and (self.since is None or letter.failed_at >= self.since)
            and (self.until is None or letter.failed_at < self.until)
            and self.ticket in (None, letter.key)
        )


def marked_place(value: bytes | None, headers: Sequence[Header]) -> Place | None:
    """The letter that a record of the dead-letter topic marks as redriven; None where the record is a letter itself."""
    content = dict(headers).get(REDRIVEN_HEADER)
    if value is not None or content is None or any(name.startswith(PREFIX) for name, _ in headers):
        return None
    try:
        return Place.parse(content.decode(errors="replace"))
    except ValueError:
        return None


def mark_headers(place: Place) -> list[Header]:
    """The headers of the record that marks the letter at `place` as redriven, and of the redriven record besides."""
    return [(REDRIVEN_HEADER, str(place).encode())]


def redriven_headers(headers: Iterable[Header], place: Place) -> list[Header]:
    """The original record's headers out of those of its letter at `place`, and which letter it was."""
    kept = [(name, value) for name, value in headers if not _is_ours(name) and name != REDRIVEN_HEADER]
    return [*kept, *mark_headers(place)]


def left_out(headers: Iterable[Header]) -> str:
    """What of the original a letter leaves out because it was too large; empty where nothing is."""
    return (dict(headers).get(LEFT_OUT_HEADER) or b"").decode(errors="replace")


def refusal(letter: DeadLetter, partitions: Mapping[str, int]) -> str | None:
    """Why `letter` cannot be redriven; None where it can. `partitions` holds each topic of ours and its partitions."""
    origin = letter.origin
    if not letter.has_origin:
        return "it does not say where its record stood: another program wrote it"
    if origin.topic not in partitions:
        return f"its record stood on {origin.topic}, which is no topic of this pipeline"
    if origin.partition >= partitions[origin.topic]:
        return f"{origin.topic} has no partition {origin.partition}"
    return None


def shortened(text: str, most_bytes: int) -> str:
    """`text`, or its beginning and its end with a note between where its UTF-8 has more than `most_bytes`."""
    data = _encoded(text)
    if len(data) <= most_bytes:
        return text
    note = f"\n... {len(data) - most_bytes} bytes and more left out ...\n"
    half = (most_bytes - len(note)) // 2
    return data[:half].decode(errors="ignore") + note + data[-half:].decode(errors="ignore")


def _encoded(text: str) -> bytes:
    """UTF-8; an error's text may hold lone surrogates, which it does not have."""
    return text.encode(errors="backslashreplace")


def _record_bytes(kept: Kept) -> int:
    headers = sum(_HEADER_BYTES + len(name.encode()) + len(value or b"") for name, value in kept.headers)
    return _RECORD_BYTES + len(kept.key or b"") + len(kept.value or b"") + headers


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) or name in (STAGE_HEADER, LEFT_OUT_HEADER)


def _number(text: str | None, most: int) -> int:
    match = re.fullmatch(r"\d{1,19}", text or "", re.ASCII)
    return number if match is not None and (number := int(match[0])) <= most else -1
