"""The `count` agent: decisions to counts per series and ten seconds, whole buckets that replace what was told before.

Where a partition's counting stands is kept on a topic of its own, with the offset that it is counted through. After a
crash, or where another worker takes the partition over, the decisions from there on are read again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import zlib
from collections.abc import Sequence

from models.counting import Counted, CountingSettings, PartitionCounter, counted
from schemas import topics
from schemas.cloudevents import REQUESTER_HEADER
from schemas.codec import Codec
from schemas.counts import BucketCounts, CountingState
from schemas.decisions import Decision
from streams.batches import Record, time_of
from streams.decoding import Decoder
from streams.publish import Outgoing, Publisher
from streams.reading import Reader, reader
from streams.settings import Settings

log = logging.getLogger("triage.count")

SETTINGS = CountingSettings(most_requesters=20_000)
"""Per partition, so that its state fits into one record: a series of a requester takes some twenty bytes of it."""

SLICE = 100
"""Records decoded at a stretch: then the event loop sees to the other agents, to health checks and to Kafka."""


class CountAgent:
    """Counts the partitions that this worker has."""

    def __init__(self, *, settings: Settings, codec: Codec, decoder: Decoder, publisher: Publisher) -> None:
        self._settings = settings
        self._codec = codec
        self._decoder = decoder
        self._publisher = publisher
        self._counter = PartitionCounter(SETTINGS)
        self._kept_at: dict[int, float] = {}
        self._reading: str | None = None
        """What is read again, which may take long: it waits for that, and is not stuck."""

    @property
    def waiting_for(self) -> str | None:
        """The service that is away while it is waited for."""
        return self._decoder.waiting_for or self._publisher.waiting_for or self._reading

    def forget(self) -> None:
        """Begin from what was kept: partitions have come, which others may have counted meanwhile."""
        self._counter = PartitionCounter(SETTINGS)
        self._kept_at = {}

    async def __call__(self, records: Sequence[Record]) -> None:
        """Count `records`, and wait until what follows from them is on the brokers."""
        counter, kept_at = self._counter, self._kept_at  # those of this assignment, whatever comes meanwhile
        by_partition: dict[int, list[Record]] = {}
        for record in records:
            by_partition.setdefault(record.partition, []).append(record)
        for partition, some in by_partition.items():
            if partition not in kept_at:
                await self._load(counter, partition, some[0].offset)
                kept_at[partition] = time.monotonic()
            told = counter.count_buckets(partition, await self._counted(some))
            self._publisher.enqueue(self._record(one) for one in told)
        # What is kept must never be ahead of what was told.
        await self._publisher.flush()
        now = time.monotonic()
        due = [partition for partition in by_partition if now - kept_at[partition] >= self._settings.snapshot_seconds]
        if due:
            self._publisher.enqueue(self._state(counter, partition) for partition in due)
            await self._publisher.flush()
            kept_at.update(dict.fromkeys(due, now))

    async def _counted(self, records: Sequence[Record]) -> list[Counted]:
        found: list[Counted] = []
        for number, record in enumerate(records, 1):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            decision = await self._decoder.decode(record.value, Decision)
            if not isinstance(decision, Decision):
                # The archive sends it to the dead letters: once is enough.
                log.warning("%s[%d]@%d is not counted: %s", record.topic, record.partition, record.offset, decision)
                continue
            requester = dict(record.headers).get(REQUESTER_HEADER, b"").decode(errors="replace")
            if (one := counted(decision, record.offset, requester, time_of(record))) is not None:
                found.append(one)
        return found

    async def _load(self, counter: PartitionCounter, partition: int, first: int) -> None:
        """Bring the counting of a partition to just before the record at offset `first`."""
        state_place, place = (topics.COUNTING.name, partition), (topics.DECISIONS.name, partition)
        async with reader(self._settings) as source:
            bounds = await source.bounds([state_place, place])
            start, end = bounds[place]
            state = await self._kept_state(source, bounds[state_place], state_place)
            if state is not None and state.through >= end:
                log.warning("the counting of partition %d is of another log of decisions: begun anew", partition)
            elif state is not None:
                counter.restore(partition, json.loads(zlib.decompress(state.state)))
            behind = max(start, counter.through(partition) + 1)
            if behind < first:
                self._reading = f"partition {partition}: decisions {behind} to {first - 1} are counted again"
                log.info("%s", self._reading)
                try:
                    async for batch in source.read({place: (behind, first)}):
                        counter.count(partition, await self._counted(batch))
                finally:
                    self._reading = None

    async def _kept_state(
        self, source: Reader, bounds: tuple[int, int], place: tuple[str, int]
    ) -> CountingState | None:
        """The last record: the partition has no other key."""
        start, end = bounds
        async for batch in source.read({place: (max(start, end - 1), end)}):
            state = await self._decoder.decode(batch[-1].value, CountingState)
            if isinstance(state, CountingState):
                return state
            log.warning("the state of %s[%d] cannot be read: %s", *place, state)
        return None

    def _record(self, counts: BucketCounts) -> Outgoing:
        return Outgoing(topic=topics.COUNTS.name, key=counts.key, value=self._codec.encode(counts), partition=0)

    def _state(self, counter: PartitionCounter, partition: int) -> Outgoing:
        state = json.dumps(counter.snapshot(partition), ensure_ascii=False).encode()
        word = CountingState(partition=partition, through=counter.through(partition), state=zlib.compress(state, 1))
        return Outgoing(
            topic=topics.COUNTING.name,
            key=str(partition).encode(),
            value=self._codec.encode(word),
            partition=partition,
        )
