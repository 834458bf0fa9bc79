"""A Faust transport that hands an agent whole record batches: `triage-batches://host:port`.

Faust's own Kafka transport makes an event of each record, which costs it some 100 us of CPU a record. Here a topic
whose schema is a `BatchSchema` delivers one event per fetched batch of one partition; its value is the tuple of
aiokafka's records, in offset order. All other topics (tables' changelogs, replies) work as with Faust's own transport.

    app = faust.App("name", broker="triage-batches://127.0.0.1:9092", ...)
    topic = app.topic("tickets.events.v1", schema=BatchSchema())

    @app.agent(topic)
    async def work(stream):
        async for event in stream.noack().events():
            await handle(event.value)
            event.ack()

What is committed is the end of the longest prefix of finished batches (`ledger`), so no offset ever passes work in
hand: not after a rebalance, not after a seek, not after a fetch that came late. Records in hand are bounded by bytes
for each partition. What differs from Faust beside that: sensors and `broker_commit_every` count batches, and a
partition without a commit begins at its earliest offset.
"""

from streams.transport.driver import BatchSchema, Consumer, Flow, Transport

__all__ = ["BatchSchema", "Consumer", "Flow", "Transport"]
