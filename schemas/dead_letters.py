"""The dead letter: bytes that could not be handled, unchanged, and why, in the headers of KIP-1034."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.decisions import LogPosition

PREFIX = "__streams.errors."
STAGE_HEADER = "triage_stage"
REDRIVEN_HEADER = "triage_redriven"
"""On a record that was a dead letter and has been published again: `partition:offset` of the letter."""

Header = tuple[str, bytes | None]


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
            *((PREFIX + name, text.encode()) for name, text in added.items()),
            (STAGE_HEADER, self.stage.encode()),
        ]

    @classmethod
    def read(
        cls, key: bytes | None, value: bytes | None, headers: Sequence[Header], *, failed_at: datetime
    ) -> DeadLetter:
        """Read a record of the dead-letter topic back; what a foreign writer left out is empty, offsets are -1."""
        texts = {name: content.decode(errors="replace") for name, content in headers if content is not None}
        return cls(
            origin=LogPosition(
                topic=texts.get(PREFIX + "topic", ""),
                partition=_number(texts.get(PREFIX + "partition")),
                offset=_number(texts.get(PREFIX + "offset")),
            ),
            stage=texts.get(STAGE_HEADER, ""),
            exception=texts.get(PREFIX + "exception", ""),
            message=texts.get(PREFIX + "message", ""),
            stacktrace=texts.get(PREFIX + "stacktrace", ""),
            key=key,
            value=value,
            failed_at=failed_at,
        )


def _is_ours(name: str) -> bool:
    return name.startswith(PREFIX) or name == STAGE_HEADER


def _number(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        return -1
