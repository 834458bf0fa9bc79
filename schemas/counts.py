"""What is counted of tickets, bucket by bucket, and where the counting of a partition stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTicket:
    """What is kept of a counted ticket, so that the cause of a spike can be told. `requester` is a digest, or empty."""

    ticket_id: str
    occurred_at: datetime
    requester: str
    subject: str
    series: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketCounts:
    """All that one source partition holds of one bucket of time so far, up to and with the decision at `through`.

    It replaces what was told of the same partition and bucket before. `counts` maps series to tickets; `tickets` are
    the first few of them. A record without counts is a mark: no more is expected of the partition before `bucket`.
    """

    partition: int
    bucket: datetime
    through: int
    counts: Mapping[str, int]
    tickets: tuple[CountedTicket, ...] = ()

    @property
    def key(self) -> bytes:
        """The key on the topic."""
        return f"{self.partition}|{self.bucket.timestamp():.0f}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingState:
    """The state of the counting of one source partition after the decision at `through`: deflated JSON."""

    partition: int
    through: int
    state: bytes
