"""Publishing in batches: all records of a batch are on their brokers when `publish` or `flush` returns."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import TracebackType
from typing import Any, NamedTuple, Self, cast

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.alerts import Alert
from schemas.codec import Codec
from schemas.dead_letters import Header
from schemas.errors import BadSettings, KafkaUnavailable, PublishFailed, TriageError
from schemas.topics import ALERTS, MOST_RECORD_BYTES

log = logging.getLogger("triage.publish")

GIVE_UP_AFTER = timedelta(minutes=2)
"""How long brokers may leave a batch unacknowledged before the worker ends with the batch's offset uncommitted."""

_SAY_SO_EVERY_SECONDS = 10.0
_ROOM_WITHIN_SECONDS = 0.1

# librdkafka: measured against aiokafka's producer in docs/performance.md.
_OPTIONS = {
    "acks": "all",
    "enable.idempotence": True,
    # Never given up by the client: a record that timed out while those behind it went through would break the order.
    # `GIVE_UP_AFTER` ends the process instead.
    "message.timeout.ms": 0,
    "delivery.report.only.error": True,  # 1 us a record less; what `flush` waits for is acknowledged
    "linger.ms": 2,
    "compression.type": "lz4",
    "partitioner": "murmur2_random",  # as Kafka's Java clients and aiokafka: one ticket, one partition
    "queue.buffering.max.messages": 200_000,
    "message.max.bytes": MOST_RECORD_BYTES,  # before compression; brokers look at the topic's, after it
    "socket.nagle.disable": True,
    "reconnect.backoff.max.ms": 1_000,
    "log_level": 2,  # it logs each attempt to connect; what matters comes by error_cb
}


BY_KEY = -1
"""As a partition: the key decides."""


class Outgoing(NamedTuple):
    """A record to publish. `timestamp_ms` 0 is the time of publishing."""

    # A named tuple, since two of them are made for each ticket: a frozen dataclass takes four times as long.
    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[Header] | None = None
    partition: int = BY_KEY
    timestamp_ms: int = 0


def alert_record(word: Alert, codec: Codec) -> Outgoing:
    """The record of a word on an incident: words on one have one order."""
    return Outgoing(ALERTS.name, word.incident_id.encode(), codec.encode(word))


class Publisher:
    """One idempotent producer, acks=all: records of one partition arrive once and in the order given.

    The client tries again whatever may pass. What brokers refuse raises PublishFailed, what they leave unacknowledged
    for `GIVE_UP_AFTER` raises KafkaUnavailable; either way the offsets behind the batch stay uncommitted. Not for use
    by several tasks at a time: `flush` waits for all that was enqueued.
    """

    def __init__(self, options: Mapping[str, Any], *, give_up_after: timedelta = GIVE_UP_AFTER) -> None:
        """`options` are librdkafka's for the connection. Raises BadSettings where it cannot use them."""
        self._give_up_after = give_up_after
        self.waiting_for: str | None = None
        """What brokers have left unacknowledged for long, while it is waited for."""
        self._failure: TriageError | None = None
        try:
            self._producer = Producer(
                {
                    **_OPTIONS,
                    **options,
                    "on_delivery": self._on_failed_delivery,
                    "error_cb": self._on_error,
                    "logger": log,
                }
            )
        except KafkaException as error:
            raise BadSettings(f"the settings TRIAGE_KAFKA_* cannot be used: {error.args[0].str()}") from error
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="triage-publish")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What is still here is of a batch that nobody waits for any more: it will be decided again.
        self._producer.purge()
        await asyncio.get_running_loop().run_in_executor(self._executor, self._producer.flush, 1.0)
        self._executor.shutdown(wait=False)

    async def publish(self, records: Iterable[Outgoing]) -> None:
        """Publish `records` and wait for the brokers' acknowledgements of all of them."""
        self.enqueue(records)
        await self.flush()

    def enqueue(self, records: Iterable[Outgoing]) -> None:
        """Hand `records` to the client, which sends them while the caller goes on; `flush` waits for them."""
        produce = cast("Any", self._producer.produce)  # its stub wants lists of wider tuples
        for topic, key, value, headers, partition, timestamp_ms in records:
            while True:
                try:
                    produce(topic, value, key, partition, None, None, timestamp_ms, headers)
                except BufferError:
                    # 200,000 records are on their way: until there is room, nothing else has to be done.
                    self._producer.poll(_ROOM_WITHIN_SECONDS)
                    self._raise_failure()
                except KafkaException as error:
                    raise PublishFailed(f"a record for {topic} cannot be published: {error.args[0].str()}") from error
                else:
                    break

    async def flush(self) -> None:
        """Wait until brokers have acknowledged all that was enqueued. Raises PublishFailed or KafkaUnavailable."""
        try:
            await self._acknowledged()
        finally:
            self.waiting_for = None

    async def _acknowledged(self) -> None:
        loop = asyncio.get_running_loop()
        began = time.monotonic()
        patience = self._give_up_after.total_seconds()
        while True:
            waited = time.monotonic() - began
            timeout = max(0.0, min(_SAY_SO_EVERY_SECONDS, patience - waited))
            left = await loop.run_in_executor(self._executor, self._producer.flush, timeout)
            self._raise_failure()
            if not left:
                return
            waited = time.monotonic() - began
            if waited >= patience:
                raise KafkaUnavailable(f"Kafka has not acknowledged {left} records within {waited:.0f} s")
            self.waiting_for = f"Kafka has not acknowledged {left} records for {waited:.0f} s"
            log.warning("%s; trying on", self.waiting_for)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _on_failed_delivery(self, error: KafkaError | None, message: Any) -> None:
        if error is not None and error.code() not in (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT):  # noqa: SLF001  public names
            self._failure = self._failure or PublishFailed(f"a record for {message.topic()} was refused: {error.str()}")

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._failure = KafkaUnavailable(f"the producer cannot go on, a new one may: {error.str()}")
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001  a public name
            log.debug("no Kafka broker can be reached; trying on")
