"""The models that decide, as the log has them: what is live from which event on is recorded before its first use.

A set of models takes over by a record on the events' topic itself, one in each partition. So it has a place among the
events, the same for every reader, and an event that is delivered again meets the same models again. Whoever comes to
such a record notes it on `models.activations.v1`, acknowledged before the record's offset is committed: a worker that
goes on from a later offset finds it there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from aiokafka.errors import KafkaError

from models.decide import Models
from models.lineage import Lineage
from models.sets import models_of
from schemas import topics
from schemas.codec import Codec
from schemas.dead_letters import Header
from schemas.decisions import LogPosition
from schemas.errors import KafkaUnavailable, ModelsNotReproducible, UnknownModels
from schemas.model_log import (
    ACTIVATION_HEADER,
    FROM_THE_BEGINNING,
    ModelsActivated,
    ModelSet,
    Said,
    activated_version,
    said_with,
)
from schemas.open_incidents import OpenIncidents
from streams.batches import time_of
from streams.decoding import Decoder
from streams.lessons import LiveLessons
from streams.open_incidents import LiveIncidents
from streams.publish import Outgoing, Publisher
from streams.reading import Reader, places_of, reader
from streams.settings import Settings
from streams.topic_admin import committed_offsets

log = logging.getLogger("triage.models")

ANSWERED_WITHIN = timedelta(minutes=2)
_ASK_AGAIN_SECONDS = 1.0
_NOTHING = Said()


class ModelLog:
    """What the two topics hold, read to their ends, and the models made of it."""

    def __init__(self, settings: Settings, decoder: Decoder) -> None:
        self._settings = settings
        self._decoder = decoder
        self.lineage = Lineage()
        self.sets: dict[str, ModelSet] = {}
        """Every recorded set by its version."""
        self.said: dict[tuple[int, int], Said] = {}
        """What was said of the activation at a partition and offset."""
        self.partitions: tuple[int, ...] = ()
        """The partitions of the events' topic."""
        self.last_first: str | None = None
        """The set that the newest note of the first of all names: the one that compaction will leave."""

    async def read(self) -> None:
        """Read the topics to their ends. Raises KafkaUnavailable where Kafka does not answer for two minutes."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + ANSWERED_WITHIN.total_seconds()
        while True:
            try:
                async with reader(self._settings) as source:
                    await self._read(source)
            except KafkaError as away:
                if loop.time() > deadline:
                    raise KafkaUnavailable(f"the models' topics cannot be read: {away}") from away
                log.warning("the models' topics cannot be read: %s; trying again", away)
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
            else:
                return

    async def _read(self, source: Reader) -> None:
        names = [topics.EVENTS.name, topics.MODEL_SETS.name, topics.MODEL_ACTIVATIONS.name]
        places = await places_of(names, self._settings)
        self.partitions = tuple(number for topic, number in places if topic == topics.EVENTS.name)
        bounds = await source.bounds(place for place in places if place[0] != topics.EVENTS.name)
        async for records in source.read(bounds):
            for record in records:
                if record.topic == topics.MODEL_SETS.name:
                    found = await self._decoder.decode(record.value, ModelSet)
                    if isinstance(found, ModelSet):
                        self.sets[found.version] = found
                    continue
                activation = await self._decoder.decode(record.value, ModelsActivated)
                if isinstance(activation, ModelsActivated):
                    self._know(activation, said_with(record.headers, time_of(record)))
                    if activation.partition == FROM_THE_BEGINNING:
                        self.last_first = activation.version

    async def read_ahead(self) -> None:
        """Know the activations, too, that stand among events which no worker has decided and committed yet."""
        places = [(topics.EVENTS.name, number) for number in self.partitions]
        committed = await committed_offsets(f"{self._settings.app_id}.triage", places, self._settings)
        async with reader(self._settings) as source:
            bounds = await source.bounds(places)
            ahead = {place: (max(start, committed.get(place, start)), end) for place, (start, end) in bounds.items()}
            async for records in source.read(ahead):
                for record in records:
                    version = activated_version(record.value, record.headers)
                    if version in self.sets:
                        activation = ModelsActivated(version=version, partition=record.partition, offset=record.offset)
                        self._know(activation, said_with(record.headers, time_of(record)))

    def _know(self, activation: ModelsActivated, said: Said) -> None:
        self.lineage.note(activation)
        self.said[activation.partition, activation.offset] = said


class RecordedModels:
    """The models of each event as the log has them, for who does not decide."""

    def __init__(self, model_log: ModelLog) -> None:
        self._log = model_log
        self._made: dict[str, Models | None] = {}

    def at(self, position: LogPosition) -> Models | None:
        """The models that decided on the event at `position`; None where the log or this release has none."""
        version = self._log.lineage.at(position.partition, position.offset)
        if version is None or version not in self._log.sets:
            return None
        if version not in self._made:
            try:
                self._made[version] = models_of(self._log.sets[version])
            except ModelsNotReproducible as other:
                log.warning("lessons on tickets that %s decided are not judged: %s", version, other)
                self._made[version] = None
        return self._made[version]


class LiveModels:
    """The models for each event, for the agent that decides."""

    def __init__(
        self,
        model_log: ModelLog,
        lessons: LiveLessons,
        incidents: LiveIncidents,
        codec: Codec,
        own: ModelSet,
        made: Models,
    ) -> None:
        """`own` is the set that this worker's settings and code make, `made` its models."""
        self._log = model_log
        self._lessons = lessons
        self._incidents = incidents
        self._codec = codec
        self._own = own
        self._made: dict[str, Models] = {own.version: made}
        self._stale = False
        self._said: set[str] = set()

    async def open(self, publisher: Publisher) -> None:
        """Read the log, and let this worker's own set take over from here on if it never has."""
        model_log, own = self._log, self._own
        await model_log.read()
        known = model_log.sets.get(own.version)
        if known is None:
            await publisher.publish([recorded(own, self._codec)])
        if model_log.lineage.first is None:
            await publisher.publish([first_of_all(own.version, self._codec)])
            await model_log.read()
        first = model_log.lineage.first or own.version
        if model_log.last_first != first:
            # Of two workers that came first at once, the first in the log is it. Compaction keeps the last record of
            # a key: let it be that one's, too.
            await publisher.publish([first_of_all(first, self._codec)])
        if known is None or not known.activated:
            if first != own.version:
                log.info("the models %s take over", own.version)
                said = Said(by="a worker", reason="its settings make this set, which was never live")
                await publisher.publish(activations(own.version, model_log.partitions, said))
            await publisher.publish([recorded(replace(own, activated=True), self._codec)])
        elif self._is_replaced():
            log.warning(
                "this worker's settings make the models %s, which others have replaced since: it decides with those. "
                "To go back: triage models promote %s",
                own.version,
                own.version,
            )
        model_log.sets.setdefault(own.version, own)

    def forget(self) -> None:
        """Read the log again before the next decision: partitions have come, and others have worked on them."""
        self._stale = True

    async def refresh(self) -> None:
        """Read the log if that is due."""
        if self._stale:
            self._stale = False
            self._lessons.forget()
            self._incidents.forget()
            await self._log.read()

    async def come_to(self, partition: int, offset: int) -> None:
        """Know which lessons and incidents hold at `offset` of `partition`, the next record that is worked on."""
        await self._lessons.come_to(partition, offset)
        await self._incidents.come_to(partition, offset)

    async def prepare(self, partition: int) -> None:
        """Learn what is in force in `partition`, before `at` is asked."""
        await self._lessons.prepare(partition)

    async def teach(self, last: int, partition: int) -> None:
        """Let the lessons up to `last` take effect in `partition`. Raises UnknownModels where there are not so many."""
        await self._lessons.activate(last, partition)

    def know_incidents(self, told: OpenIncidents, partition: int, offset: int) -> None:
        """Let the incidents of the record at `offset` be those that are open in `partition`."""
        self._incidents.take(told, partition, offset)

    def at(self, partition: int, offset: int) -> Models:
        """The models that decide on the event at `offset` of `partition`.

        Raises ModelsNotReproducible where another release's have taken over from this one's.
        """
        models = self._lessons.knowing(self._chosen(partition, offset), partition)
        return self._incidents.knowing(models, partition, offset)

    def _chosen(self, partition: int, offset: int) -> Models:
        version = self._log.lineage.at(partition, offset) or self._own.version
        models = self._made.get(version)
        if models is None:
            try:
                models = self._made[version] = models_of(self._log.sets[version])
            except ModelsNotReproducible as other:
                if not self._log.lineage.is_to_come(self._own.version, partition, offset):
                    raise ModelsNotReproducible(f"a newer release has taken over: {other}") from other
                return self._early(version)
            except KeyError:
                raise ModelsNotReproducible(
                    f"{topics.MODEL_SETS.name} has no set {version}, which decides on {partition}@{offset}"
                ) from None
        return models

    def _early(self, version: str) -> Models:
        """This worker's own models in place of an earlier release's, whose code is here no more."""
        if version not in self._said:
            self._said.add(version)
            log.warning(
                "%s decided until %s took over, and this release can not decide so: events that it left are decided "
                "with %s already",
                version,
                self._own.version,
                self._own.version,
            )
        return self._made[self._own.version]

    async def activate(self, version: str, partition: int, offset: int, said: Said = _NOTHING) -> Outgoing:
        """Let the set `version` take over after `offset`; gives the note that has to be published of it.

        Raises UnknownModels where no such set was recorded.
        """
        if version not in self._log.sets:
            await self._log.read()
        if version not in self._log.sets:
            raise UnknownModels(f"{version} is no recorded set of models: those before it decide on")
        activation = ModelsActivated(version=version, partition=partition, offset=offset)
        self._log.lineage.note(activation)
        return noted(activation, self._codec, said)

    def _is_replaced(self) -> bool:
        newest = (self._log.lineage.live(number) for number in self._log.partitions)
        return any(version != self._own.version for version in newest)


def recorded(chosen: ModelSet, codec: Codec) -> Outgoing:
    """The record that makes a set known."""
    return Outgoing(topic=topics.MODEL_SETS.name, key=chosen.version.encode(), value=codec.encode(chosen))


def activations(version: str, partitions: Iterable[int], said: Said = _NOTHING) -> list[Outgoing]:
    """The records by which a recorded set takes over: one in each of `partitions` of the events' topic."""
    headers: list[Header] = [
        (ACTIVATION_HEADER, version.encode()),
        ("ce_type", b"triage.models.activated.v1"),
        *said.headers,
    ]
    return [
        Outgoing(topic=topics.EVENTS.name, key=None, value=None, headers=headers, partition=partition)
        for partition in partitions
    ]


def noted(activation: ModelsActivated, codec: Codec, said: Said = _NOTHING) -> Outgoing:
    """The note of an activation, in the partition that it stands in, with what was said and the time of it."""
    return Outgoing(
        topic=topics.MODEL_ACTIVATIONS.name,
        key=activation.key,
        value=codec.encode(activation),
        headers=said.headers or None,
        partition=max(0, activation.partition),
        timestamp_ms=0 if said.at is None else max(0, round(said.at.timestamp() * 1000)),
    )


def first_of_all(version: str, codec: Codec) -> Outgoing:
    """The note of the set that decides before any activation."""
    return noted(
        ModelsActivated(version=version, partition=FROM_THE_BEGINNING, offset=FROM_THE_BEGINNING),
        codec,
    )
