"""What every contestant does with a record: two outputs, one to the decisions, one to a team's topic.

`forward` and `headers` pass the record on, so that what remains is the transport. `decide` is the product's: decode,
decide, encode, headers. Each contestant calls `Task.handle` for a record and says `arrived` and `finished`; the last
call of `finished` prints what it cost and ends the process.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import NamedTuple

from models.taxonomy import parse_taxonomy
from schemas import topics

Headers = Sequence[tuple[str, bytes]]


class Output(NamedTuple):
    """A record to write."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


Handle = Callable[[bytes, bytes, Headers, int, int, int], tuple[Output, Output]]
"""Key, value, headers, partition, offset, time stamp in ms -> the two outputs."""

TAXONOMY = parse_taxonomy(resources.files("models").joinpath("data/taxonomy.toml").read_text(encoding="utf-8"))
DECISIONS = topics.DECISIONS.name
TEAMS = tuple(topics.assignments(queue).name for queue in (*TAXONOMY.teams, topics.REVIEW_QUEUE))


class Task:
    """The work of one run, from the command line: servers, topic, group, number of records, kind of work."""

    def __init__(self) -> None:
        self.servers, self.topic, self.group, number, self.kind = sys.argv[1:6]
        self.number = int(number)
        self.handle: Handle = decider() if self.kind == "decide" else forward
        self._began: tuple[float, float] | None = None
        self._finished = 0

    def arrived(self) -> None:
        """Records have been received: the clock runs from the first time on."""
        if self._began is None:
            self._began = time.process_time(), time.perf_counter()

    def finished(self, number: int) -> None:
        """`number` records are done: their outputs are acknowledged."""
        self._finished += number
        if self._finished >= self.number:
            self.end()

    def end(self) -> None:
        """Print CPU and wall time since the first record, and the memory; end the process."""
        cpu, wall = self._began or (time.process_time(), time.perf_counter())
        result = {
            "cpu": time.process_time() - cpu,
            "wall": time.perf_counter() - wall,
            "records": self._finished,
            "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        sys.stdout.write("\n" + json.dumps(result) + "\n")
        sys.stdout.flush()
        os._exit(0)


def forward(
    key: bytes, value: bytes, headers: Headers, partition: int, offset: int, _timestamp: int
) -> tuple[Output, Output]:
    """No work: both outputs are the record itself."""
    kept = list(headers or ())  # librdkafka gives None where there are none
    return Output(DECISIONS, key, value, kept), Output(TEAMS[(partition + offset) % len(TEAMS)], key, value, kept)


def decider() -> Handle:
    """The decision of the product, as its agent makes it."""
    from models.decide import decide, starting_models  # noqa: PLC0415  only where it is measured
    from schemas.cloudevents import decision_headers  # noqa: PLC0415
    from schemas.codec import Codec  # noqa: PLC0415
    from schemas.decisions import Assignment, LogPosition  # noqa: PLC0415
    from schemas.events import EventKind, TicketEvent  # noqa: PLC0415

    models, codec = starting_models(TAXONOMY), Codec()

    def handle(
        key: bytes, value: bytes, headers: Headers, partition: int, offset: int, timestamp: int
    ) -> tuple[Output, Output]:
        event = codec.decode(value, TicketEvent)
        decision = decide(event, LogPosition(topic=topics.EVENTS.name, partition=partition, offset=offset), models)
        assignment = Assignment.of(decision)
        latency = max(0, int(time.time() * 1000) - timestamp)
        team = topics.assignments(decision.queue).name
        return (
            Output(
                DECISIONS,
                key,
                codec.encode(decision),
                decision_headers(decision, latency_ms=latency, trace=headers),  # type: ignore[arg-type]
            ),
            Output(
                team,
                key,
                codec.encode(assignment),
                decision_headers(assignment, latency_ms=latency, trace=headers),  # type: ignore[arg-type]
            ),
        )

    # What is loaded at the first use is loaded before the clock runs.
    first = TicketEvent(
        event_id="0",
        kind=EventKind.CREATED,
        ticket_id="0",
        source="bench",
        subject="Drucker druckt nicht",
        body="Der Drucker im dritten Stock druckt seit heute nicht mehr.",
        occurred_at=datetime(2026, 3, 2, tzinfo=UTC),
    )
    handle(b"", codec.encode(first), (), 0, 0, 0)
    return handle
