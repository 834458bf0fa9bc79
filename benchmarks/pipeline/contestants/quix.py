"""Quix Streams: a dataframe, its outputs expanded and sent by to_topic; at least once, its default commit interval."""

from typing import Any

from quixstreams import Application, message_context
from quixstreams.models import SerializationContext, Serializer
from work import DECISIONS, TEAMS, Task


class ValueOfOutput(Serializer):
    """The bytes of an output."""

    def __call__(self, value: Any, ctx: SerializationContext) -> bytes:
        return value.value


task = Task()
app = Application(
    broker_address=task.servers,
    consumer_group=task.group,
    auto_offset_reset="earliest",
    processing_guarantee="at-least-once",
    auto_create_topics=False,
    loglevel="ERROR",
    producer_extra_config={
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 5,
        "compression.type": "lz4",
        "partitioner": "murmur2_random",
    },
)
outputs = {
    name: app.topic(name, key_serializer="bytes", value_serializer=ValueOfOutput()) for name in (DECISIONS, *TEAMS)
}


def work(value: bytes, key: bytes, timestamp: int, headers: Any) -> Any:
    task.arrived()
    context = message_context()
    return task.handle(key, value, headers, context.partition, context.offset, timestamp)


source = app.topic(task.topic, key_deserializer="bytes", value_deserializer="bytes")
frame = app.dataframe(source).apply(work, metadata=True, expand=True)
frame = frame.set_headers(lambda value, *_: value.headers)
frame.to_topic(lambda value, *_: outputs[value.topic])
app.run(count=2 * task.number, collect=False)
task.finished(task.number)
