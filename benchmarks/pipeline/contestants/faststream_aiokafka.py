"""FastStream on aiokafka: a batch subscriber that acknowledges by hand.

Records are published one by one without waiting, then all acknowledgements are awaited: its publish_batch would give
all records of a batch the same headers and one partition.
"""

import asyncio
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from work import Task

task = Task()
broker = KafkaBroker(
    task.servers,
    acks="all",
    enable_idempotence=True,
    linger_ms=5,
    max_batch_size=128 * 1024,
    compression_type="lz4",
    logger=None,
)
app = FastStream(broker, logger=None)


async def raw(message: KafkaMessage) -> Any:
    return message.raw_message


@broker.subscriber(
    task.topic,
    group_id=task.group,
    batch=True,
    max_records=500,
    batch_timeout_ms=200,
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.MANUAL,
    decoder=raw,
)
async def work(records: Any, message: KafkaMessage) -> None:
    task.arrived()
    waiting = []
    for record in message.raw_message:
        for out in task.handle(
            record.key, record.value, record.headers, record.partition, record.offset, record.timestamp
        ):
            waiting.append(
                await broker.publish(
                    out.value,
                    out.topic,
                    key=out.key,
                    headers={name: value.decode() for name, value in out.headers},
                    no_confirm=True,
                )
            )
    await asyncio.gather(*waiting)
    await message.ack()
    task.finished(len(waiting) // 2)


asyncio.run(app.run())
