"""Faust as its documents have it, with the settings that help it most: take, send, wait for the acknowledgements."""

import asyncio
import tempfile

import faust
from work import DECISIONS, TEAMS, Task

task = Task()
app = faust.App(
    task.group,
    broker=f"kafka://{task.servers}",
    datadir=tempfile.mkdtemp(prefix="faust-bench-"),
    processing_guarantee="at_least_once",
    consumer_auto_offset_reset="earliest",
    producer_acks=-1,
    producer_linger=0.005,
    producer_max_batch_size=128 * 1024,
    producer_compression_type="lz4",
    broker_commit_interval=1.0,
    topic_allow_declare=False,
    topic_disable_leader=True,
    web_enabled=False,
    loghandlers=[],
)


def raw(name: str) -> faust.types.TopicT:
    return app.topic(name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


outputs = {name: raw(name) for name in (DECISIONS, *TEAMS)}


@app.agent(raw(task.topic), name="bench")
async def work(stream: faust.StreamT) -> None:
    async for events in stream.take_events(500, within=0.1):
        task.arrived()
        waiting = []
        for event in events:
            message = event.message
            for out in task.handle(
                message.key,
                message.value,
                message.headers,
                message.partition,
                message.offset,
                int(message.timestamp * 1000),
            ):
                waiting.append(await outputs[out.topic].send(key=out.key, value=out.value, headers=out.headers))
        await asyncio.gather(*waiting)
        task.finished(len(events))


async def main() -> None:
    await app.start()
    await app.wait_until_stopped()


asyncio.run(main())
