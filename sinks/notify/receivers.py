"""What a receiver of alerts is: a format, a yes, and how much of it at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from schemas.alerts import Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A POST. URL, headers and body may hold secrets: none of them shows."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; `text` is the beginning of the body."""

    status: int
    text: str


class Receiver(Protocol):
    """One place that alerts are told to. Pure: `request` makes the bytes, `sinks.notify.sender` sends them."""

    @property
    def name(self) -> str:
        """Names its consumer group and stands in the log."""
        ...

    @property
    def gap(self) -> timedelta:
        """The least time between two requests, on the long run."""
        ...

    @property
    def resend_every(self) -> timedelta | None:
        """How often an open incident has to be told again; None where once is enough."""
        ...

    @property
    def repeats(self) -> bool:
        """Whether updates of an open incident are told."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must not show, in whatever a receiver answers."""
        ...

    def wants(self, alert: Alert, /) -> bool:
        """Whether it is told at all."""
        ...

    def request(self, alert: Alert, now: datetime, /) -> Request:
        """The request that tells `alert`."""
        ...

    def accepted(self, answer: Answer) -> bool:
        """Whether `answer` is the receiver's yes."""
        ...


def json_request(url: str, body: Any, headers: Mapping[str, str] | None = None) -> Request:
    """A request with a JSON body."""
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace")
    return Request(url=url, headers={"Content-Type": "application/json", **(headers or {})}, body=data)
