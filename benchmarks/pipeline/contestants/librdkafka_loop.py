"""A hand-written loop of librdkafka (confluent-kafka): consume, produce, flush, commit once a second."""

import time

from confluent_kafka import Consumer, Producer
from work import Task

task = Task()
handle = task.handle
consumer = Consumer(
    {
        "bootstrap.servers": task.servers,
        "group.id": task.group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    }
)
failed = []
producer = Producer(
    {
        "bootstrap.servers": task.servers,
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 5,
        "compression.type": "lz4",
        "partitioner": "murmur2_random",
        "delivery.report.only.error": True,
        "on_delivery": lambda error, _: failed.append(error),
    }
)
consumer.subscribe([task.topic])
committed = time.monotonic()
while True:
    records = consumer.consume(500, timeout=1.0)
    if records:
        task.arrived()
    for record in records:
        for out in handle(
            record.key(), record.value(), record.headers(), record.partition(), record.offset(), record.timestamp()[1]
        ):
            producer.produce(out.topic, out.value, out.key, headers=out.headers)
    if producer.flush() or failed:
        raise SystemExit(f"not delivered: {failed}")
    if records and time.monotonic() - committed > 1:
        consumer.commit(asynchronous=True)
        committed = time.monotonic()
    task.finished(len(records))
