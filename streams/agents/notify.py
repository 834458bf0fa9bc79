"""The `notify` agents, one for each receiver: alerts to people, once each, and none that is too late to help.

Each receiver has a consumer group of its own. So one that is away holds back nobody else; its offset is committed once
it has said yes, and after a crash nobody but it is told again. Order is kept by incident, which is the topic's key.

What to tell is read ahead: `AlertBoard` follows the topic to its end, whatever the receivers have managed. So nothing
is told of an incident that was over while a receiver was away, and of one that goes on only the newest word.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas import topics
from schemas.alerts import Alert, AlertStage
from schemas.dead_letters import REDRIVEN_HEADER
from schemas.errors import DeadLettered, ReceiverAway, ReceiverRefused
from sinks.notify.receivers import Receiver
from sinks.notify.sender import Pace, Sender, pause
from streams.batches import Record
from streams.dead_letters import dead_letter
from streams.decoding import Decoder
from streams.publish import Publisher
from streams.reading import places_of
from streams.settings import Settings

log = logging.getLogger("triage.notify")

_LOOK_EVERY = timedelta(milliseconds=500)


class AlertBoard:
    """The newest word on each incident as the log has it now, and where its first one stands.

    What is over is forgotten `keep` after its end: its age alone holds it back from then on.
    """

    def __init__(self, *, keep: timedelta, clock: Callable[[], datetime]) -> None:
        self.caught_up = asyncio.Event()
        """It has read what the log held when it began."""
        self._keep = keep
        self._clock = clock
        self._newest: dict[str, Alert] = {}
        self._first: dict[str, int] = {}
        self._reached: dict[int, int] = {}
        self._moved = asyncio.Event()

    def take(self, partition: int, offset: int, alert: Alert | None) -> None:
        """Note a record of the topic, which may be unreadable."""
        self._reached[partition] = offset
        self._moved.set()
        if alert is None:
            return
        known = self._newest.get(alert.incident_id)
        self._first.setdefault(alert.incident_id, offset)
        if known is None or alert.at >= known.at:  # a redriven word is an old one
            self._newest[alert.incident_id] = alert
        if alert.stage is AlertStage.RESOLVED:
            self._forget_old()

    def newest(self, incident_id: str) -> Alert | None:
        """The newest word on an incident; None where there is none, or it is long over."""
        return self._newest.get(incident_id)

    def first_offset(self, incident_id: str) -> int | None:
        """Where the oldest word on an incident stands that is still in the log."""
        return self._first.get(incident_id)

    def open_incidents(self) -> list[Alert]:
        """The newest word on each incident that is not over."""
        return [alert for alert in self._newest.values() if alert.stage is not AlertStage.RESOLVED]

    async def reached(self, partition: int, offset: int) -> None:
        """Wait until the record at `offset` has been noted, and all that the log held at the beginning."""
        await self.caught_up.wait()
        while self._reached.get(partition, -1) < offset:
            self._moved.clear()
            await self._moved.wait()

    def _forget_old(self) -> None:
        limit = self._clock() - self._keep
        for name in [name for name, known in self._newest.items() if known.stage is AlertStage.RESOLVED]:
            if self._newest[name].at < limit:
                del self._newest[name], self._first[name]


async def follow(board: AlertBoard, settings: Settings, decoder: Decoder) -> None:
    """Read the topic from its beginning into `board`, until cancelled. Joins no group and commits nothing."""
    places = [TopicPartition(*place) for place in await places_of([topics.ALERTS.name], settings)]
    options: dict[str, Any] = settings.kafka_options()
    consumer = AIOKafkaConsumer(**options, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        while True:
            fetched = await consumer.getmany(timeout_ms=_LOOK_EVERY // timedelta(milliseconds=1))
            for records in fetched.values():
                for record in records:
                    word = None if record.value is None else await decoder.decode(record.value, Alert)
                    alert = word if isinstance(word, Alert) else None
                    board.take(record.partition, record.offset, alert)
            if not board.caught_up.is_set():
                positions = [await consumer.position(place) for place in places]
                if all(position >= ends[place] for place, position in zip(places, positions, strict=True)):
                    board.caught_up.set()
    finally:
        await consumer.stop()


def held_back(
    alert: Alert, newest: Alert | None, *, told: bool, repeats: bool, now: datetime, too_old: timedelta
) -> str | None:
    """Why `alert` is not told; None where it is.

    `newest` is the log's newest word on the incident, `told` whether the receiver knows of the incident already.
    """
    if newest is not None and newest.at > alert.at and not (told and alert.stage is AlertStage.RESOLVED):
        if newest.stage is AlertStage.RESOLVED:
            return "it is over already"
        if not (told and alert.stage is AlertStage.ACKNOWLEDGED):  # the newer word may be one that is not told
            return "there is newer word of it"
    if alert.stage in (AlertStage.ACKNOWLEDGED, AlertStage.RESOLVED):
        return None if told else "nobody was told that it began"
    if told and not repeats:
        return "it was told when it began"
    if now - alert.at > too_old:
        return f"it is older than {too_old.total_seconds() / 60:.0f} min, and there is no newer word of it"
    return None


class NotifyAgent:
    """Tells one receiver. One that is away is waited for; what it refuses for good goes to the dead letters."""

    def __init__(
        self,
        *,
        receiver: Receiver,
        sender: Sender,
        board: AlertBoard,
        decoder: Decoder,
        publisher: Publisher,
        clock: Callable[[], datetime],
        too_old: timedelta,
    ) -> None:
        self._receiver = receiver
        self._sender = sender
        self._board = board
        self._decoder = decoder
        self._publisher = publisher
        self._clock = clock
        self._too_old = too_old
        self._pace = Pace(receiver.gap)
        self._one_at_a_time = asyncio.Lock()
        self._away: str | None = None
        self._told: set[str] = set()
        self._refused: set[str] = set()
        self._began: dict[int, int] = {}

    @property
    def waiting_for(self) -> str | None:
        """The service that is away while it is waited for."""
        return self._away or self._decoder.waiting_for or self._publisher.waiting_for

    def forget(self) -> None:
        """Partitions have come: where this agent begins in them, its next record tells."""
        self._began.clear()

    async def __call__(self, records: Sequence[Record]) -> None:
        """Tell what `records` say, one after the other."""
        for record in records:
            self._began.setdefault(record.partition, record.offset)
            if record.value is None:
                continue  # all that compaction leaves of an incident
            word = await self._decoder.decode(record.value, Alert)
            if isinstance(word, DeadLettered):
                await self._publisher.publish([dead_letter(record, "notify", word, self._clock())])
                continue
            await self._board.reached(record.partition, record.offset)
            await self._tell(record, word)

    async def resend(self, every: timedelta) -> None:
        """Tell of every open incident again and again, until cancelled; for receivers that forget."""
        await self._board.caught_up.wait()
        while True:
            for alert in self._board.open_incidents():
                name = alert.incident_id
                if name in self._refused or self._clock() - alert.at > self._too_old:
                    continue
                try:
                    await self._send(alert, only_while_open=True)
                except ReceiverAway as away:
                    log.warning("%s; it is told again in %.0f s", away, every.total_seconds())
                    break
                except ReceiverRefused as refused:
                    self._refused.add(name)
                    log.error("incident %s is not told again: %s", name, refused)  # noqa: TRY400  no trace helps
            await asyncio.sleep(every.total_seconds())

    async def _tell(self, record: Record, alert: Alert) -> None:
        if not self._receiver.wants(alert):
            return
        name, failures = alert.incident_id, 0
        newest = self._board.newest(name)
        redriven = any(header == REDRIVEN_HEADER for header, _ in record.headers)
        if redriven and newest is not None and newest.stage is not AlertStage.RESOLVED:
            alert = newest  # what was refused is told as it stands today
        try:
            while True:
                told = name in self._told or (not redriven and self._was_told_before(record, name))
                why = held_back(
                    alert,
                    self._board.newest(name),
                    told=told,
                    repeats=self._receiver.repeats,
                    now=self._clock(),
                    too_old=self._too_old,
                )
                if why is not None:
                    log.info("%s is not told of %s (%s): %s", self._receiver.name, name, alert.stage.value, why)
                    return
                # Whoever has heard nothing yet is not told of an update.
                first = alert.stage is AlertStage.UPDATED and not told
                try:
                    await self._send(replace(alert, stage=AlertStage.OPENED) if first else alert)
                except ReceiverAway as away:
                    failures += 1
                    # Jitter is all that it is for.
                    wait = pause(failures, away.retry_after, random.random())  # noqa: S311
                    self._away = str(away)
                    log.warning("%s; trying again in %.0f s", away, wait.total_seconds())
                    await asyncio.sleep(wait.total_seconds())
                else:
                    self._note_told(alert)
                    log.info("%s was told of %s (%s)", self._receiver.name, name, alert.stage.value)
                    return
        except ReceiverRefused as refused:
            self._refused.add(name)
            log.error("%s (%s) becomes a dead letter: %s", name, alert.stage.value, refused)  # noqa: TRY400  no trace helps
            await self._publisher.publish([dead_letter(record, "notify", refused, self._clock())])
        finally:
            self._away = None

    async def _send(self, alert: Alert, *, only_while_open: bool = False) -> None:
        async with self._one_at_a_time:
            await asyncio.sleep(self._pace.wait_seconds(asyncio.get_running_loop().time()))
            if only_while_open and self._board.newest(alert.incident_id) is not alert:
                return
            await self._sender.send(self._receiver.request(alert, self._clock()))

    def _was_told_before(self, record: Record, incident_id: str) -> bool:
        """Whether an earlier process has seen to the incident: it stands before where this one began."""
        first = self._board.first_offset(incident_id)
        return first is not None and first < self._began[record.partition]

    def _note_told(self, alert: Alert) -> None:
        if alert.stage is AlertStage.RESOLVED:
            self._told.discard(alert.incident_id)
            self._refused.discard(alert.incident_id)
        else:
            self._told.add(alert.incident_id)
