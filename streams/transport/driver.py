"""The driver: Faust's aiokafka transport, with batches for the topics that ask for them.

It leans on the inside of faust-streaming 0.15.3; each override says what it replaces and why.

Two threads take part. aiokafka's consumer lives in a thread of its own (`ConsumerThread`), everything else in the main
one (`Consumer`). Both may be in the middle of something when a rebalance or a seek comes. So every batch carries the
number of the seek that it was fetched after and the offset at which it has to begin: a batch from before a seek is
dropped, and one that does not begin where its ledger ends shows that another was lost, and is fetched again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from aiokafka import ConsumerRecord, TopicPartition
from faust.exceptions import ImproperlyConfigured
from faust.serializers.schemas import Schema
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams.transport.ledger import Ledger

BYTES_IN_HAND = 4 * 1024 * 1024
"""Of one partition: no more is handed out while so many bytes of keys and values, or more, are unfinished.

What aiokafka has fetched ahead comes on top: `consumer_max_fetch_size` bytes a partition, 1 MiB by default.
"""

_LOOK_AGAIN_SECONDS = 0.02
"""While a partition has its hands full, how long a fetch of the others may wait before it is looked at again."""


class BatchSchema(Schema):
    """Marks a topic: its events are batches, and the agents decode the records themselves."""

    def compile(self, app: Any, **_: Any) -> Any:
        """Replaces the decoding of key and value, of which a batch has none."""

        async def decode(message: Any, *, propagate: bool = False) -> Any:  # noqa: ARG001  Faust passes it
            return app.create_event(None, message.value, None, message)

        return decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How far one partition is: offsets, and what is in hand."""

    position: int
    finished: int
    batches_in_hand: int
    bytes_in_hand: int


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A batch as the consumer thread hands it over."""

    seek: int
    start: int
    end: int
    size: int
    records: tuple[ConsumerRecord[Any, Any], ...]


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread of the aiokafka client. It makes batches and knows what it handed over since which seek."""

    def __post_init__(self) -> None:
        """Comes instead of __init__, as in the class above it."""
        super().__post_init__()
        self.batched: frozenset[str] = frozenset()
        self._seeks = itertools.count(1)
        self._seek: dict[TP, int] = {}
        self._handed: dict[TP, int] = {}

    async def seek_to_committed_or_first(self) -> tuple[Mapping[Any, int | None], Mapping[TP, tuple[int, int]]]:
        """Seek every partition to its committed offset.

        Returns the commits of all partitions, and of each batched one the number of the seek and the position.
        """
        return await self.call_thread(self._seek_to_committed_or_first)

    async def _seek_to_committed_or_first(self) -> Any:
        consumer = self._ensure_consumer()
        committed = await consumer.seek_to_committed()
        # aiokafka leaves a partition without a commit where it stands, which may be far behind its first record.
        bare = [tp for tp, offset in committed.items() if tp.topic in self.batched and not offset]
        first = await consumer.beginning_offsets(bare) if bare else {}
        places = {
            ensure_TP(tp): self._seek_batched(tp, offset or first[tp])
            for tp, offset in committed.items()
            if tp.topic in self.batched
        }
        return committed, places

    async def seek_batched(self, tp: TP, position: int) -> tuple[int, int]:
        """Seek one partition of a batched topic; the number of the seek, and the position."""

        async def seek() -> tuple[int, int]:
            return self._seek_batched(tp, position)

        return await self.call_thread(seek)

    def _seek_batched(self, tp: Any, position: int) -> tuple[int, int]:
        self._ensure_consumer().seek(TopicPartition(*tp), position)
        place = ensure_TP(tp)
        self._seek[place], self._handed[place] = next(self._seeks), position
        return self._seek[place], position

    async def ends(
        self, known: frozenset[TP], bare: frozenset[TP], within_seconds: float
    ) -> Mapping[TP, tuple[int, int]]:
        """The end of the log in each place, and of `known` ones the client's own position; 0 of `bare` ones.

        Raises TimeoutError or KafkaError.
        """

        async def ask() -> Mapping[TP, tuple[int, int]]:
            # The time is limited here, since a call that nobody waits for any more would keep this thread busy.
            consumer, partitions = self._ensure_consumer(), [TopicPartition(*tp) for tp in known | bare]
            found = await asyncio.wait_for(consumer.end_offsets(partitions), within_seconds)
            places = {ensure_TP(tp): end for tp, end in found.items()}
            # A place that was never sought has no position, and aiokafka would wait for one.
            return {
                tp: (end, await consumer.position(TopicPartition(*tp)) if tp in known else 0)
                for tp, end in places.items()
            }

        return await self.call_thread(ask)

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> Any:
        """As above, with batches in place of lists of records.

        Between aiokafka's return and this one nothing else of this thread runs, so that number and start are right.
        """
        records = await super()._fetch_records(*args, **kwargs)
        return {tp: self._batch(tp, found) if tp.topic in self.batched else found for tp, found in records.items()}

    def _batch(self, tp: Any, records: list[ConsumerRecord[Any, Any]]) -> _Fetched:
        place = ensure_TP(tp)
        end = records[-1].offset + 1
        size = sum(len(record.value or b"") + len(record.key or b"") for record in records)
        batch = _Fetched(self._seek.get(place, 0), self._handed.get(place, -1), end, size, tuple(records))
        self._handed[place] = end
        return batch


class Consumer(driver.Consumer):
    """The consumer: hands out batches, keeps a ledger of each partition and commits what the ledgers say."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bytes_in_hand = BYTES_IN_HAND
        self._ledgers: dict[TP, Ledger] = {}
        self._seek_numbers: dict[TP, int] = {}

    def flows(self) -> Mapping[TP, Flow]:
        """How far each partition of a batched topic is; one that is assigned and has no ledger is nowhere."""
        nowhere = Flow(position=0, finished=0, batches_in_hand=0, bytes_in_hand=0)
        return dict.fromkeys(self._without_ledger(), nowhere) | {
            tp: Flow(
                position=ledger.position,
                finished=ledger.settle(),
                batches_in_hand=len(ledger),
                bytes_in_hand=ledger.bytes_in_hand,
            )
            for tp, ledger in self._ledgers.items()
        }

    def _without_ledger(self) -> frozenset[TP]:
        batched = self._consumer_thread.batched
        return frozenset(tp for tp in self.assignment() if tp.topic in batched and tp not in self._ledgers)

    async def ends(self, within_seconds: float) -> Mapping[TP, tuple[int, int]]:
        """The end of the log in each batched partition, and the client's own position.

        That position passes what is no record, such as the marker of a transaction; it is 0 where a partition has no
        ledger. Raises TimeoutError or KafkaError.
        """
        known, bare = frozenset(self._ledgers), self._without_ledger()
        return await self._consumer_thread.ends(known, bare, within_seconds) if known or bare else {}

    @property
    def _consumer_thread(self) -> ConsumerThread:
        return cast("ConsumerThread", self._thread)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def subscribe(self, topics: Iterable[str]) -> None:
        """As Faust's, which calls it once all agents have said what they read."""
        self._consumer_thread.batched = self._batched_topics()
        await super().subscribe(topics)

    async def verify_all_partitions_active(self) -> None:
        """Replaces Faust's, which looks at each partition every few commits and logs; `flows` tells as much."""

    # -- Where reading goes on --------------------------------------------------------------------------------------

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Replaces Faust's: a rebalance ends with it, and each ledger begins anew."""
        committed, places = await self._consumer_thread.seek_to_committed_or_first()
        for tp, (number, position) in places.items():
            self._sought(tp, number, position)
        return cast("Mapping[TP, int]", committed)

    async def seek(self, partition: TP, offset: int) -> None:
        """As Faust's; a batched partition's ledger goes along."""
        tp = ensure_TP(partition)
        if tp not in self._ledgers:
            await super().seek(partition, offset)
            return
        self._sought(tp, *await self._consumer_thread.seek_batched(tp, offset))

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """As Faust's, which waits for the work in hand and commits it; only then are the ledgers closed.

        Faust may wait so long that the partitions are back meanwhile: then their ledgers have begun anew.
        """
        numbers = {tp: self._seek_numbers.get(tp) for tp in map(ensure_TP, revoked)}
        await super().on_partitions_revoked(revoked)
        for tp, number in numbers.items():
            if self._seek_numbers.get(tp) == number:
                self._ledgers.pop(tp, None)
                self._seek_numbers.pop(tp, None)

    def _sought(self, tp: TP, number: int, position: int) -> None:
        if tp in self._ledgers:
            self._ledgers[tp].seek(position)
        else:
            self._ledgers[tp] = Ledger(position)
        self._seek_numbers[tp] = number

    def _batched_topics(self) -> frozenset[str]:
        batched: set[str] = set()
        plain: set[str] = set()
        for channel in cast("Iterable[Any]", self.app.topics):
            (batched if isinstance(channel.schema, BatchSchema) else plain).update(channel.topics)
        if both := batched & plain:
            raise ImproperlyConfigured(f"{', '.join(sorted(both))}: read in batches and record by record in one app")
        if batched and self.app.conf.consumer_auto_offset_reset != "earliest":
            raise ImproperlyConfigured("batched topics begin at their earliest offset: consumer_auto_offset_reset")
        return frozenset(batched)

    # -- Fetching and handing out -----------------------------------------------------------------------------------

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109  Faust's
        """Replaces Faust's, which passes its live set.

        A rebalance empties that while the fetch waits in the other thread, and aiokafka takes an empty set for all
        partitions. Those with their hands full are left out here.
        """
        if active_partitions is None:
            return await super()._getmany(active_partitions, timeout)
        full = {tp for tp in active_partitions if self._is_full(tp)}
        fetchable = active_partitions - full
        if not fetchable:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            return {}
        return await super()._getmany(fetchable, _LOOK_AGAIN_SECONDS if full else timeout)

    def _is_full(self, tp: TP) -> bool:
        ledger = self._ledgers.get(tp)
        if ledger is None or ledger.bytes_in_hand < self.bytes_in_hand:
            return False
        ledger.settle()
        return ledger.bytes_in_hand >= self.bytes_in_hand

    async def getmany(self, timeout: float) -> AsyncIterator[Any]:  # noqa: ASYNC109  Faust's
        """Replaces Faust's: batches, and records one by one of all other topics."""
        fetched, active = await self._wait_next_records(timeout)
        if fetched is None or self.should_stop:
            return
        if not self.flow_active:
            return  # a rebalance is on; it ends with a seek, which makes these a thing of the past
        batches = {ensure_TP(tp): found for tp, found in fetched.items() if isinstance(found, _Fetched)}
        records = {tp: found for tp, found in fetched.items() if not isinstance(found, _Fetched)}
        for tp, batch in batches.items():
            if not self.flow_active:
                return
            if (message := await self._hand_out(tp, batch)) is None:
                continue
            # Faust compares each message's offset with the one before, to find holes and repetitions. The ledger
            # knows better; without an offset to compare with, Faust is content.
            self._read_offset[tp] = None
            try:
                yield tp, message
            finally:
                self._read_offset[tp] = None
        generation = self.app.consumer_generation_id
        for tp, record in self.scheduler.iterate(records):
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            if active is None or tp in active or tp in self._buffered_partitions:
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                yield tp, self._to_message(tp, record)

    async def _hand_out(self, tp: TP, batch: _Fetched) -> ConsumerMessage | None:
        """The message of `batch`, noted in its ledger; None where it must not be handed out."""
        ledger = self._ledgers.get(tp)
        if ledger is None or batch.seek != self._seek_numbers[tp]:
            return None  # fetched before a seek or a rebalance
        start, last = batch.start, batch.records[-1]
        if (first := batch.records[0].offset) < start:
            self.log.warning("%s ends before %d, where it was read to: it is read from %d on", tp, start, first)
            ledger.seek(first)
            start, self._committed_offset[tp] = first, None
        message = _BatchMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            None,
            None,
            cast("Any", batch.records),
            None,
            serialized_key_size=0,
            serialized_value_size=batch.size,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )
        if tp in self._paused_partitions or not ledger.deliver(start, batch.end, batch.size, message):
            # This one or the one before it was not handed out: the next fetch begins with it again.
            place = await self._consumer_thread.seek_batched(tp, ledger.position)
            if self._ledgers.get(tp) is ledger:  # a rebalance may have come meanwhile
                self._sought(tp, *place)
            return None
        self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
        return message

    # -- What may be committed --------------------------------------------------------------------------------------

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        """As Faust's, and all batched partitions: their ledgers know what is finished."""
        yield from (tp for tp in super()._filter_tps_with_pending_acks(topics) if tp not in self._ledgers)
        yield from (tp for tp in tuple(self._ledgers) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        """Replaces Faust's, which passes work in hand where nothing was committed before (faust issue 606)."""
        ledger = self._ledgers.get(tp)
        if ledger is None:
            return super()._new_offset(tp)
        self._acked.pop(tp, None)
        self._acked_index.pop(tp, None)
        finished = ledger.settle()
        return finished if finished > (self._committed_offset[tp] or 0) else None

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        """As Faust's, which takes a refused commit for one that was made: the next try has to repeat it."""
        before = {tp: self._committed_offset[tp] for tp in offsets}
        committed = await super()._commit_offsets(offsets, start_new_transaction)
        if not committed:
            self._committed_offset.update({tp: offset for tp, offset in before.items() if tp in self._ledgers})
        return committed


class _BatchMessage(ConsumerMessage):
    """A batch as Faust's message: its offset and time are those of the last record, its value is all of them."""


class Transport(driver.Transport):
    """`triage-batches://host:port[;...]`: Kafka, with batches for topics whose schema is a `BatchSchema`."""

    Consumer = Consumer
    driver_version = f"{driver.Transport.driver_version} in batches"
