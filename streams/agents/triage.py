"""The `triage` agent: decode a batch of ticket events, decide, publish decision and assignment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from models.decide import decide
from schemas import topics
from schemas.cloudevents import decision_headers, requester_header
from schemas.codec import Codec
from schemas.decisions import Assignment
from schemas.errors import DeadLettered, UnknownModels
from schemas.events import TicketEvent
from schemas.held import human_word
from schemas.lessons import activated_lessons
from schemas.model_log import activated_version, said_with
from schemas.open_incidents import told_incidents
from streams.batches import Record, position_of, time_of
from streams.dead_letters import dead_letter
from streams.decoding import Decoder
from streams.held import LiveHeld
from streams.model_log import LiveModels
from streams.publish import Outgoing, Publisher

SLICE = 50
SLICE_BYTES = 256 * 1024
"""Records decided at a stretch: then they are sent, and the event loop sees to the health checks and to Kafka.

An event of a megabyte takes a second: fifty of them without a pause would pass for a worker that hangs.
"""


class TriageAgent:
    """Turns events into decisions. One bad event stops nobody: it goes to the dead letters."""

    def __init__(
        self,
        *,
        models: LiveModels,
        held: LiveHeld,
        codec: Codec,
        decoder: Decoder,
        publisher: Publisher,
        clock: Callable[[], datetime],
    ) -> None:
        self._models = models
        self._held = held
        self._codec = codec
        self._decoder = decoder
        self._publisher = publisher
        self._clock = clock

    @property
    def waiting_for(self) -> str | None:
        """The service that is away while it is waited for."""
        return self._decoder.waiting_for or self._publisher.waiting_for or self._held.waiting_for

    def forget(self) -> None:
        """Partitions have come, and others have worked on them."""
        self._models.forget()
        self._held.forget()

    async def __call__(self, records: Sequence[Record]) -> None:
        """Decide on `records` and wait until everything that follows from them is on the brokers."""
        await self._models.refresh()
        for part in slices(records):
            outgoing: list[Outgoing] = []
            for record in part:
                await self._models.come_to(record.partition, record.offset)
                await self._held.come_to(record.partition, record.offset)
                event = await self._decoder.decode(record.value, TicketEvent)
                if isinstance(event, TicketEvent):
                    await self._models.prepare(record.partition)
                    outgoing += self._decided(record, event)
                else:
                    outgoing += await self._activated(record, event)
                self._held.take(record, event if isinstance(event, TicketEvent) else None)
            self._publisher.enqueue(outgoing)
            await asyncio.sleep(0)
        await self._publisher.flush()
        await self._held.keep_now_and_then()

    async def _activated(self, record: Record, unreadable: DeadLettered) -> list[Outgoing]:
        """What follows from a record that is no event: a dead letter, where nothing holds from here on by it."""
        try:
            if (version := activated_version(record.value, record.headers)) is not None:
                said = said_with(record.headers, time_of(record))
                return [await self._models.activate(version, record.partition, record.offset, said)]
            if (last := activated_lessons(record.value, record.headers)) is not None:
                await self._models.teach(last, record.partition)
                return []
            if (told := told_incidents(record.value, record.headers)) is not None:
                self._models.know_incidents(told, record.partition, record.offset)
                return []
        except UnknownModels as unknown:
            return [dead_letter(record, "activate", unknown, self._clock())]
        if human_word(record.value, record.headers) is not None:
            return []
        return [dead_letter(record, "decode", unreadable, self._clock())]

    def _decided(self, record: Record, event: TicketEvent) -> list[Outgoing]:
        if not event.kind.needs_decision:
            return []
        models = self._models.at(record.partition, record.offset)
        try:
            decision = decide(event, position_of(record), models, self._held.of(record, event))
        except Exception as error:  # noqa: BLE001  whatever our own code trips over, the events behind it go on
            return [dead_letter(record, "decide", error, self._clock())]
        assignment = Assignment.of(decision)
        latency_ms = max(0, (self._clock() - time_of(record)) // timedelta(milliseconds=1))
        key = event.ticket_id.encode()
        return [
            Outgoing(
                topic=topics.DECISIONS.name,
                key=key,
                value=self._codec.encode(decision),
                headers=[
                    *decision_headers(decision, latency_ms=latency_ms, trace=record.headers),
                    *requester_header(event),
                ],
                partition=record.partition,  # the archive counts on the events' order
            ),
            Outgoing(
                topic=topics.assignments(decision.queue).name,
                key=key,
                value=self._codec.encode(assignment),
                headers=decision_headers(assignment, latency_ms=latency_ms, trace=record.headers),
            ),
        ]


def slices(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """`records` in parts of at most SLICE, which end with the record that fills SLICE_BYTES."""
    start = size = 0
    for at, record in enumerate(records, 1):
        size += len(record.value or b"")
        if at - start == SLICE or size >= SLICE_BYTES:
            yield records[start:at]
            start, size = at, 0
    if start < len(records):
        yield records[start:]
