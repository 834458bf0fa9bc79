"""Publishing in batches: all records of a batch are on their brokers when `publish` returns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer

from schemas.dead_letters import Header

_LINGER_MS = 2
_BATCH_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A record to publish. `partition` None lets the key decide."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()
    partition: int | None = None
    timestamp_ms: int | None = None


class Publisher:
    """One idempotent producer, acks=all: records of one partition arrive once and in the order given.

    The client retries what may pass for as long as the session lasts; what it gives up on is raised, and the
    offsets behind the batch stay uncommitted.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self._producer = AIOKafkaProducer(
            **options,
            acks="all",
            enable_idempotence=True,
            linger_ms=_LINGER_MS,
            max_batch_size=_BATCH_BYTES,
            compression_type="lz4",
        )

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Publish `records` and wait for the brokers' acknowledgements of all of them."""
        await asyncio.gather(*[await self._send(record) for record in records])

    async def _send(self, record: Outgoing) -> Awaitable[Any]:
        if record.key is None and record.value is None and record.partition is not None:
            return await self._send_nothing(record, record.partition)
        return await self._producer.send(
            record.topic,
            value=record.value,
            key=record.key,
            partition=record.partition,
            timestamp_ms=record.timestamp_ms,
            headers=list(record.headers),
        )

    async def _send_nothing(self, record: Outgoing, partition: int) -> Awaitable[Any]:
        """A record without key and value, which `send` refuses and Kafka does not: a dead letter may be one."""
        batch = self._producer.create_batch()
        batch.append(timestamp=record.timestamp_ms, key=None, value=None, headers=list(record.headers))
        batch.close()
        return await self._producer.send_batch(batch, record.topic, partition=partition)
