"""The whole pipeline as its users run it: the real command, on a real Kafka, with a real store."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from schemas.codec import Codec
from schemas.decisions import LogPosition
from schemas.events import TicketEvent
from schemas.topics import REVIEW_QUEUE, Topic, assignments
from sinks.store import Store
from streams import topic_admin, wiring
from streams.feed import outgoing
from streams.publish import Outgoing, Publisher
from streams.reading import places_of, reader
from streams.settings import Settings, load_settings

READY_WITHIN_SECONDS = 120.0


class Pipeline:
    """Topics of its own on a Kafka cluster, a consumer group of its own, an embedded store of its own."""

    def __init__(self, bootstrap: str, folder: Path, *, access: Mapping[str, str] | None = None) -> None:
        """`access` is what processes need in their environment besides, to get into the cluster."""
        self.settings: Settings = load_settings(
            kafka_bootstrap_servers=bootstrap, data_dir=folder, app_id=f"test-{os.getpid()}-{time.monotonic_ns()}"
        )
        self.codec = Codec()
        self.topics = wiring.all_topics(self.settings)
        self._access = dict(access or {})
        self._workers: list[Worker] = []

    @contextmanager
    def with_topics(self, *, delete: bool = True) -> Iterator[Pipeline]:
        """Make the topics and, unless the whole cluster goes with this pipeline, delete them at the end."""
        asyncio.run(self._make_topics())
        try:
            with self:
                yield self
        finally:
            if delete:
                asyncio.run(self.delete_topics())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.kill()

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
        return {
            **kept,
            "TRIAGE_KAFKA_BOOTSTRAP_SERVERS": self.settings.kafka_bootstrap_servers,
            "TRIAGE_DATA_DIR": str(self.settings.data_dir),
            "TRIAGE_APP_ID": self.settings.app_id,
            **self._access,
        }

    def triage(
        self, *arguments: str, stdin: str | None = None, timeout: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        return subprocess.run(
            [sys.executable, "-m", "streams.cli", *arguments],
            env={**self.environment(), "COLUMNS": "200", **environment},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start_worker(self, *arguments: str, wait: bool = True, **environment: str) -> Worker:
        worker = Worker({**self.environment(), **environment}, self.settings.data_dir, arguments)
        self._workers.append(worker)
        if wait:
            worker.wait_until_ready()
        return worker

    def publish(self, records: Sequence[TicketEvent | Outgoing]) -> None:
        async def send() -> None:
            async with Publisher(self.settings.producer_options()) as publisher:
                await publisher.publish(
                    [outgoing(record, self.codec) if isinstance(record, TicketEvent) else record for record in records]
                )

        asyncio.run(send())

    def read(self, topic: Topic) -> list[Any]:
        """All raw records of `topic`, by partition and offset."""
        return asyncio.run(self._read(topic))

    def assignments(self) -> dict[str, list[Any]]:
        """The raw records of every assignment topic, by queue."""
        queues = [*wiring.load_taxonomy(self.settings).teams, REVIEW_QUEUE]
        return {queue: self.read(assignments(queue)) for queue in queues}

    async def ends(self, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The offset after the last record of each of `places`."""
        async with reader(self.settings) as source:
            return {place: end for place, (_, end) in (await source.bounds(places)).items()}

    def ask_store(self, sql: str) -> tuple[tuple[Any, ...], ...]:
        """Ask the store: the worker that has it open, or the folder itself."""
        with wiring.open_store(self.settings) as store:
            return self._in_database(store, sql)

    def wait_for(self, what: str, condition: Callable[[], bool], *, within_seconds: float = 120.0) -> None:
        deadline = time.monotonic() + within_seconds
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(worker.log() for worker in self._workers)
                pytest.fail(f"not within {within_seconds:.0f} s: {what}\n{logs[-4000:]}")
            time.sleep(0.2)

    def wait_until_stored(self, table: str, rows: int, *, within_seconds: float = 240.0) -> None:
        def stored() -> bool:
            return bool(self.ask_store(f"SELECT count() >= {rows} FROM {table}")[0][0])  # noqa: S608  our own names

        self.wait_for(f"{rows} rows in {table}", stored, within_seconds=within_seconds)

    @staticmethod
    def _in_database(store: Store, sql: str) -> tuple[tuple[Any, ...], ...]:
        return store.query(sql).rows

    async def _make_topics(self) -> None:
        existing = await topic_admin.partition_counts([topic.name for topic in self.topics], self.settings)
        if existing:
            pytest.fail(
                f"{self.settings.kafka_bootstrap_servers} has topics of the pipeline already ({', '.join(existing)}): "
                "tests make and delete them, so they need a cluster of their own"
            )
        topic_admin.check(await topic_admin.ensure_topics(self.topics, self.settings))

    async def delete_topics(self) -> None:
        names = [topic.name for topic in self.topics]
        admin = AIOKafkaAdminClient(**self.settings.kafka_options())
        await admin.start()
        try:
            await admin.delete_topics(names)
            while set(names) & set(await admin.list_topics()):  # noqa: ASYNC110  Kafka tells by being asked
                await asyncio.sleep(0.05)
        finally:
            await admin.close()

    async def _read(self, topic: Topic) -> list[Any]:
        records: list[Any] = []
        async with reader(self.settings) as source:
            async for batch in source.read(await source.bounds(await places_of([topic.name], self.settings))):
                records.extend(batch)
        return sorted(records, key=lambda record: (record.partition, record.offset))


class Worker:
    """`triage worker` as a process of its own."""

    def __init__(self, environment: dict[str, str], folder: Path, arguments: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / f"worker-{time.monotonic_ns()}.log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams.cli", "worker", *arguments],
                env=environment,
                stdout=output,
                stderr=output,
            )

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while "ready:" not in self.log():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the worker is not ready:\n{self.log()[-4000:]}")
            time.sleep(0.05)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


def scraped(worker: Worker) -> str:
    """What `worker` answers at /metrics."""
    found = re.search(r"health: (http://127\.0\.0\.1:\d+)/livez", worker.log())
    assert found, worker.log()
    with urllib.request.urlopen(f"{found[1]}/metrics", timeout=10) as response:  # noqa: S310  on loopback
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return response.read().decode()


def at(record: Any) -> LogPosition:
    return LogPosition(topic=record.topic, partition=record.partition, offset=record.offset)
