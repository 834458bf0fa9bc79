"""Kill a Faust app that has a table beside a batch agent, again and again, and recount its table from the log.

python3 dev.py stress-table --kills 20
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from confluent_kafka import Consumer, TopicPartition

from streams.broker import Broker
from streams.publish import Outgoing, Publisher

PARTITIONS = 4
KEYS = 40
RATE = 500
PROGRAM = Path(__file__).with_name("table_app.py")
READY_WITHIN_SECONDS = 60.0

Counts = dict[str, dict[str, Any]]
"""By key: how many records, and the offset of the last one that is counted."""


@dataclass
class TableReport:
    """What the kills showed."""

    kills: int = 0
    recovered: list[int] = field(default_factory=list)
    """How many records the table held each time that it was recovered."""
    problems: list[str] = field(default_factory=list)


class _Load(threading.Thread):
    """Feeds records of random keys until told to stop."""

    def __init__(self, bootstrap: str, topic: str, seed: int) -> None:
        super().__init__(name="load", daemon=True)
        self._servers = bootstrap
        self._topic = topic
        self._random = random.Random(seed)
        self.done = threading.Event()

    def run(self) -> None:
        asyncio.run(self._feed())

    async def _feed(self) -> None:
        async with Publisher({"bootstrap.servers": self._servers}) as publisher:
            while not self.done.is_set():
                keys = self._random.choices(range(KEYS), k=RATE // 50)
                await publisher.publish([Outgoing(topic=self._topic, key=b"key-%d" % key, value=b"1") for key in keys])
                await asyncio.sleep(1 / 50)


def run(bootstrap: str, *, kills: int, seed: int, say: Callable[[str], None]) -> TableReport:
    """Kill the app `kills` times under load; each recovered table and the last one must equal a recount."""
    report, name = TableReport(), f"table-{uuid.uuid4().hex[:8]}"
    chance = random.Random(seed)
    asyncio.run(_create(bootstrap, name))
    load = _Load(bootstrap, name, seed)
    with tempfile.TemporaryDirectory(prefix="triage-table-") as folder:
        load.start()
        try:
            for _ in range(kills):
                app, recovered = _start(bootstrap, name, Path(folder))
                time.sleep(chance.uniform(0.5, 2.0))
                app.kill()
                app.wait()
                report.kills += 1
                report.recovered.append(sum(value["state"] for value in recovered.values()))
                report.problems += _compare(recovered, _recount(bootstrap, name), f"kill {report.kills}")
                say(f"kill {report.kills}: {report.recovered[-1]:,} records, {len(report.problems)} problems")
        finally:
            load.done.set()
            load.join(30)
        app, _ = _start(bootstrap, name, Path(folder))
        try:
            report.problems += _drained(bootstrap, name)
        finally:
            app.kill()
            app.wait()
    return report


def _start(bootstrap: str, name: str, folder: Path) -> tuple[subprocess.Popen[bytes], Counts]:
    path = folder / "recovered.json"
    path.unlink(missing_ok=True)
    with (folder / "app.log").open("ab") as log:
        app = subprocess.Popen(
            [sys.executable, str(PROGRAM), bootstrap, name, str(PARTITIONS), str(folder)], stdout=log, stderr=log
        )
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while not path.exists():
        if app.poll() is not None or time.monotonic() > deadline:
            app.kill()
            raise AssertionError(f"the app did not recover:\n{(folder / 'app.log').read_text()[-3000:]}")
        time.sleep(0.05)
    return app, json.loads(path.read_text())


def _drained(bootstrap: str, name: str) -> list[str]:
    """What is wrong with the changelog once everything is counted; nothing where it equals a recount."""
    counted, deadline = 0, 0.0
    while True:
        offsets = _recount(bootstrap, name)
        table = _changelog(bootstrap, name)
        wrong = _compare(table, offsets, "the end")
        before, counted = counted, sum(value["state"] for value in table.values())
        if not wrong and counted != sum(map(len, offsets.values())):
            wrong = ["the end: not everything is counted"]
        if counted > before:  # however slow the machine is
            deadline = time.monotonic() + READY_WITHIN_SECONDS
        if not wrong or time.monotonic() > deadline:
            return wrong
        time.sleep(0.5)


def _compare(table: Counts, offsets: dict[str, list[int]], when: str) -> list[str]:
    """Where a count is not that of the key's records up to the offset that it says."""
    wrong: list[str] = []
    for key, value in table.items():
        (through,) = value["through"].values()  # a key's records are all of one partition
        recount = sum(offset <= through for offset in offsets[key])
        if recount != value["state"]:
            wrong.append(f"{when}: {key} has {value['state']} through {through}, a recount {recount}")
    return wrong


def _recount(bootstrap: str, name: str) -> dict[str, list[int]]:
    """The offsets of each key's records."""
    offsets: dict[str, list[int]] = {f"key-{number}": [] for number in range(KEYS)}
    for record in _read(bootstrap, name):
        offsets[record.key().decode()].append(record.offset())
    return offsets


def _changelog(bootstrap: str, name: str) -> Counts:
    return {
        json.loads(record.key()): json.loads(record.value()) for record in _read(bootstrap, f"{name}-counts-changelog")
    }


def _read(bootstrap: str, topic: str) -> list[Any]:
    places = [TopicPartition(topic, number, 0) for number in range(PARTITIONS)]
    options = {"bootstrap.servers": bootstrap, "group.id": "recount", "enable.auto.commit": False, "log_level": 0}
    with closing(Consumer({**options, "auto.offset.reset": "earliest"})) as consumer:
        ends = {place.partition: consumer.get_watermark_offsets(place, timeout=30)[1] for place in places}
        consumer.assign(places)
        records: list[Any] = []
        reached = dict.fromkeys(ends, 0)
        while any(reached[number] < end for number, end in ends.items()):
            for record in consumer.consume(10_000, timeout=0.5):
                if record.error() is None and record.offset() < ends[record.partition()]:
                    records.append(record)
                    reached[record.partition()] = record.offset() + 1
        return records


async def _create(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    changelog = NewTopic(f"{name}-counts-changelog", PARTITIONS, 1, topic_configs={"cleanup.policy": "compact"})
    await admin.create_topics([NewTopic(name, PARTITIONS, 1), changelog])
    await admin.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with Broker() as broker:
        report = run(broker.bootstrap, kills=given.kills, seed=given.seed, say=lambda line: print(line, flush=True))
    print("\n".join([f"{report.kills} kills, {len(report.problems)} problems", *report.problems[:20]]))
    return int(bool(report.problems))


if __name__ == "__main__":
    sys.exit(main())
