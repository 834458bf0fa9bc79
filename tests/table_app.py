"""A Faust app with a table beside a batch agent: it counts the records of each key. Killed by tests/stress_table.py.

A table's value holds the offset that it was counted through and skips what is at or below it: after a crash, records
whose count is in the changelog already are handed out again.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import faust

from models.through import Through
from streams.batches import position_of
from streams.transport import BatchSchema


def build(bootstrap: str, name: str, partitions: int, folder: Path) -> faust.App:
    app = faust.App(
        name,
        broker=f"triage-batches://{bootstrap}",
        datadir=folder / "faust",
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=f"{name}.one",  # what a StatefulSet's pod would have: a restart waits for no session
        broker_session_timeout=6,
        broker_commit_interval=0.2,
        broker_max_poll_records=200,
        stream_wait_empty=True,
        topic_disable_leader=True,
        topic_partitions=partitions,
        web_enabled=False,
        store="memory://",
        loghandlers=[],
    )
    counts = app.Table("counts", default=dict, partitions=partitions)

    @counts.on_recover
    async def _recovered() -> None:
        path = folder / "recovered.json"
        path.with_suffix(".new").write_text(json.dumps(dict(counts.items())))
        path.with_suffix(".new").rename(path)

    @app.agent(app.topic(name, schema=BatchSchema()), name="counter")
    async def count(stream: Any) -> None:
        async for event in stream.noack().events():
            for record in event.value:
                key = record.key.decode()
                known = Through.of_value(counts.get(key), 0)
                taken = known.take(position_of(record), lambda number: number + 1)
                if taken is not known:
                    counts[key] = taken.as_value()
            event.ack()

    return app


async def main() -> None:
    bootstrap, name, partitions, folder = sys.argv[1:]
    app = build(bootstrap, name, int(partitions), Path(folder))
    await app.start()
    await app.wait_until_stopped()


if __name__ == "__main__":
    asyncio.run(main())
