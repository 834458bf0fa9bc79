"""A hand-written loop of aiokafka: getmany, send, wait for the acknowledgements, commit once a second."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from work import Task


async def main() -> None:
    task = Task()
    handle = task.handle
    consumer = AIOKafkaConsumer(
        task.topic,
        bootstrap_servers=task.servers,
        group_id=task.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=task.servers,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=128 * 1024,
        compression_type="lz4",
    )
    await consumer.start()
    await producer.start()
    committed = time.monotonic()
    while True:
        fetched = await consumer.getmany(timeout_ms=1000, max_records=500)
        if fetched:
            task.arrived()
        waiting = []
        for records in fetched.values():
            for record in records:
                for out in handle(
                    record.key, record.value, record.headers, record.partition, record.offset, record.timestamp
                ):
                    waiting.append(await producer.send(out.topic, out.value, key=out.key, headers=out.headers))
        await asyncio.gather(*waiting)
        if time.monotonic() - committed > 1:
            await consumer.commit()
            committed = time.monotonic()
        task.finished(len(waiting) // 2)


asyncio.run(main())
