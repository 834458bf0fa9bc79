"""FastStream on confluent-kafka: as faststream_aiokafka."""

import asyncio
from typing import Any

from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker, KafkaMessage
from work import Task

task = Task()
broker = KafkaBroker(
    task.servers,
    acks="all",
    enable_idempotence=True,
    linger_ms=5,
    compression_type="lz4",
    partitioner="murmur2_random",
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
    polling_interval=0.2,
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.MANUAL,
    decoder=raw,
)
async def work(records: Any, message: KafkaMessage) -> None:
    task.arrived()
    waiting = []
    for record in message.raw_message:
        for out in task.handle(
            record.key(), record.value(), record.headers(), record.partition(), record.offset(), record.timestamp()[1]
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
