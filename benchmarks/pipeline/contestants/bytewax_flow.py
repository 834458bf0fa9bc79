"""Bytewax: its Kafka source and sink in one dataflow, the outputs by flat_map; recovery off, which costs it nothing."""

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main
from work import DECISIONS, Task

task = Task()
producer = {
    "acks": "all",
    "enable.idempotence": "true",
    "linger.ms": "5",
    "compression.type": "lz4",
    "partitioner": "murmur2_random",
}
handled = 0


def work(record: KafkaSourceMessage) -> list[KafkaSinkMessage]:
    global handled  # noqa: PLW0603  a dataflow has no other place for it
    task.arrived()
    handled += 1
    outputs = task.handle(
        record.key, record.value, record.headers, record.partition, record.offset, record.timestamp[1]
    )
    return [KafkaSinkMessage(out.key, out.value, headers=out.headers, topic=out.topic) for out in outputs]


flow = Dataflow("bench")
records = op.input("in", flow, KafkaSource([task.servers], [task.topic], tail=False, batch_size=1000))
op.output("out", op.flat_map("work", records, work), KafkaSink([task.servers], DECISIONS, add_config=producer))
cli_main(flow)
task.finished(handled)
