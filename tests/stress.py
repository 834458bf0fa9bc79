"""Workers under load while a seeded schedule starts, stops, kills and freezes them and restarts Kafka; and the audit.

    python3 dev.py stress --events 60 --seeds 1 2 3

The audit reads the logs alone: after each disturbance it asks Kafka for the group's committed offsets, then reads all
outputs, and compares. tests/test_stress.py runs a short schedule.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from pipeline import Pipeline, Worker

from models.decide import decision_id
from schemas import topics
from schemas.dead_letters import PREFIX
from schemas.decisions import Assignment
from schemas.events import EventKind, TicketEvent
from streams.broker import Broker
from streams.feed import outgoing
from streams.publish import Outgoing, Publisher

PARTITIONS = 8
MOST_WORKERS = 3
FROZEN_SECONDS = 12.0
"""Longer than the session: Kafka gives the partitions of a frozen worker to others."""
MALFORMED_EVERY = 200
MODELS = b"models"
"""In place of a decision's id: a record by which models take over."""
TICKETS = 2_000
DRAINED_WITHIN_SECONDS = 120.0
TEXTS = (
    ("Netzwerkdrucker druckt nicht", "Der Drucker im dritten Stock druckt seit heute früh nicht mehr."),
    ("Invoice is wrong", "Invoice 4711 charges us twice. Please refund the second amount."),
    ("VPN bricht ab", "Die VPN-Verbindung bricht alle zehn Minuten ab, das ist sehr ärgerlich!"),
)


class Disturbance(StrEnum):
    START = "start"
    TERM = "SIGTERM"
    KILL = "SIGKILL"
    FREEZE = "SIGSTOP 12 s, SIGCONT"
    BROKER = "broker restart"


T = TypeVar("T")

Place = tuple[int, int]
"""Partition and offset of an event."""


@dataclass
class Report:
    """What one seed showed."""

    seed: int
    disturbances: Counter[str] = field(default_factory=Counter)
    events: int = 0
    without_output: int = 0
    duplicates: Counter[str] = field(default_factory=Counter)
    """Repeated output records, by the disturbance after which they were seen first."""
    exits: Counter[str] = field(default_factory=Counter)
    """How workers ended that nobody had stopped."""
    problems: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        def counts(counter: Counter[str]) -> str:
            return ", ".join(f"{number:,} {name}" for name, number in counter.items()) or "none"

        yield f"seed {self.seed}: {counts(self.disturbances)}; {self.events:,} events"
        yield f"  events without output: {self.without_output}"
        yield f"  repeated outputs, by the disturbance before: {counts(self.duplicates)}"
        yield f"  workers that ended by themselves: {counts(self.exits)}"
        yield f"  commits beyond an event without output, wrong order, other bytes: {len(self.problems)}"
        yield from (f"    {problem}" for problem in self.problems[:20])


class Audit:
    """Reads the logs, each record once, and compares outputs with commits."""

    def __init__(self, pipeline: Pipeline, report: Report) -> None:
        self.report = report
        self._group = f"{pipeline.settings.app_id}.triage"
        self._events: dict[Place, str] = {}
        self._outputs: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
        self._dead: set[Place] = set()
        self._newest: dict[tuple[str, bytes], bytes] = {}
        self._prefix: Counter[int] = Counter()
        self._common = common = {"bootstrap.servers": pipeline.settings.kafka_bootstrap_servers, "log_level": 0}
        self._consumer = Consumer(
            {
                **common,
                "group.id": "audit",  # never joined
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "reconnect.backoff.max.ms": 500,
            }
        )
        read = {topics.EVENTS, topics.DECISIONS, topics.DEAD_LETTERS}
        names = [topic.name for topic in pipeline.topics if topic in read or topic.word is Assignment]
        self._next = {(name, number): 0 for name in names for number in range(PARTITIONS)}
        self._consumer.assign([TopicPartition(*place, 0) for place in self._next])

    def check(self, after: str) -> bool:
        """Read on to the ends of the logs and compare. True where all events that were read are committed."""
        committed = answered(self._committed)
        self._read_to_the_ends(after)
        for partition, offset in committed.items():
            if offset > (finished := self._finished(partition)):
                self.report.problems.append(
                    f"after {after}: {offset} is committed in partition {partition}; {finished} has no output"
                )
        self.report.events = len(self._events)
        self.report.without_output = sum(not self._has_output(place) for place in self._events)
        return all(offset == self._next[topics.EVENTS.name, number] for number, offset in committed.items())

    def close(self) -> None:
        self._consumer.close()

    def _committed(self) -> dict[int, int]:
        asked = [TopicPartition(topics.EVENTS.name, number) for number in range(PARTITIONS)]
        # A client of its own, as in _ends: an old one may go on asking a coordinator that is gone.
        with closing(Consumer({**self._common, "group.id": self._group})) as asking:
            return {place.partition: max(0, place.offset) for place in asking.committed(asked, timeout=10)}

    def _ends(self) -> dict[tuple[str, int], int]:
        wanted: Any = {TopicPartition(*place): OffsetSpec.latest() for place in self._next}
        # A client of its own: after a restart of the broker an old one asks with an old leader epoch, for ever.
        admin = AdminClient(self._common)
        found = admin.list_offsets(wanted, request_timeout=10)
        return {(place.topic, place.partition): future.result().offset for place, future in found.items()}

    def _read_to_the_ends(self, after: str) -> None:
        ends = answered(self._ends)
        deadline = time.monotonic() + DRAINED_WITHIN_SECONDS
        while any(self._next[place] < end for place, end in ends.items()):
            if time.monotonic() > deadline:
                raise TimeoutError("the audit cannot read the logs to their ends")
            for record in self._consumer.consume(5_000, timeout=0.5):
                if record.error() is None:
                    self._note(record, dict(record.headers() or ()), after)

    def _note(self, record: Any, headers: dict[str, bytes], after: str) -> None:
        topic, place = record.topic(), (record.partition(), record.offset())
        self._next[topic, place[0]] = place[1] + 1
        if topic == topics.EVENTS.name:
            self._events[place] = headers.get("decision_id", MODELS).decode()
        elif topic == topics.DEAD_LETTERS.name:
            origin = int(headers[PREFIX + "partition"]), int(headers[PREFIX + "offset"])
            self.report.duplicates[after] += origin in self._dead
            self._dead.add(origin)
        else:
            self._note_output(topic, record.key(), headers, record.value(), after)

    def _note_output(self, topic: str, key: bytes, headers: dict[str, bytes], value: bytes, after: str) -> None:
        kind = headers["ce_type"].decode()
        known = self._outputs[headers["ce_id"].decode()]
        if kind in known:
            self.report.duplicates[after] += 1
            if known[kind] != value:
                self.report.problems.append(f"{kind} of {key.decode()} was written again with other bytes")
            return
        known[kind] = value
        # Each event of a ticket has a later time than the one before it.
        if headers["ce_time"] < self._newest.get((topic, key), b""):
            self.report.problems.append(f"{kind} of {key.decode()} at {headers['ce_time'].decode()} is out of order")
        self._newest[topic, key] = headers["ce_time"]

    def _has_output(self, place: Place) -> bool:
        identity = self._events[place]
        if identity == MODELS.decode():
            return True
        return place in self._dead if identity == "malformed" else len(self._outputs.get(identity, ())) == 2

    def _finished(self, partition: int) -> int:
        while (place := (partition, self._prefix[partition])) in self._events and self._has_output(place):
            self._prefix[partition] += 1
        return self._prefix[partition]


def answered(ask: Callable[[], T]) -> T:
    """What Kafka answers, once it does: after a restart it knows no leaders and no groups for a moment."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return ask()
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


class Load(threading.Thread):
    """Feeds `rate` events a second until told to stop. What Kafka does not take while it restarts comes later."""

    def __init__(self, pipeline: Pipeline, rate: float, seed: int) -> None:
        super().__init__(name="load", daemon=True)
        self._pipeline = pipeline
        self._rate = rate
        self._random = random.Random(seed)
        self._stop_feeding = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._feed())
        except BaseException as error:  # noqa: BLE001  raised again where the load is stopped
            self.failure = error

    def stop(self) -> None:
        self._stop_feeding.set()
        self.join(DRAINED_WITHIN_SECONDS)
        if self.failure is not None:
            raise self.failure
        if self.is_alive():
            raise TimeoutError("the load cannot be delivered")

    async def _feed(self) -> None:
        async with Publisher(self._pipeline.settings.producer_options()) as publisher:
            began, fed = time.monotonic(), 0
            while not self._stop_feeding.is_set():
                due = int((time.monotonic() - began) * self._rate) - fed
                await publisher.publish([self._next(fed + number) for number in range(due)])
                fed += due
                await asyncio.sleep(0.02)

    def _next(self, number: int) -> Outgoing:
        subject, body = self._random.choice(TEXTS)
        event = TicketEvent(
            event_id=f"e-{number}",
            kind=EventKind.MESSAGE_ADDED,
            ticket_id=f"T-{self._random.randrange(TICKETS)}",
            source="stress",
            subject=subject,
            body=f"{body} {number}",
            occurred_at=datetime.fromtimestamp(1_760_000_000 + number / 1000, UTC),
        )
        record = outgoing(event, self._pipeline.codec)
        malformed = number % MALFORMED_EVERY == 0
        return Outgoing(
            topic=record.topic,
            key=record.key,
            value=b"malformed" if malformed else record.value,
            headers=[*record.headers, ("decision_id", b"malformed" if malformed else decision_id(event).encode())],
        )


class Stage:
    """The workers and the broker, and what may happen to them. It starts again what asks for it, as systemd would."""

    def __init__(self, pipeline: Pipeline, broker: Broker, report: Report, seed: int) -> None:
        self._pipeline = pipeline
        self._broker = broker
        self._report = report
        self._random = random.Random(seed)
        self._workers: list[Worker] = []

    def schedule(self, number: int, kinds: Sequence[Disturbance]) -> Iterator[Disturbance]:
        """`number` disturbances in random order, each kind at least once where there is room."""
        chosen = [*kinds[:number], *self._random.choices(kinds, k=max(0, number - len(kinds)))]
        self._random.shuffle(chosen)
        yield from chosen

    def pause(self) -> None:
        time.sleep(self._random.uniform(0.5, 5.0))

    def disturb(self, kind: Disturbance) -> None:
        self.look_after()
        match kind:
            case Disturbance.START:
                if len(self._workers) >= MOST_WORKERS:
                    self._workers.pop(0).stop()
                self.start_worker()
            case Disturbance.TERM:
                self._pick().stop()
                self._workers = [worker for worker in self._workers if worker.process.poll() is None]
                if not self._workers:
                    self.start_worker()
            case Disturbance.KILL:
                self._workers.remove(worker := self._pick())
                worker.kill()
                self.start_worker()
            case Disturbance.FREEZE:
                worker = self._pick()
                worker.process.send_signal(signal.SIGSTOP)
                time.sleep(FROZEN_SECONDS)
                worker.process.send_signal(signal.SIGCONT)
            case Disturbance.BROKER:
                self._broker.stop()
                self._broker.start()

    def start_worker(self) -> None:
        self._workers.append(self._pipeline.start_worker("--only", "triage", wait=False))

    def look_after(self) -> None:
        """Start a new worker in place of each that has ended by itself."""
        for worker in [worker for worker in self._workers if worker.process.poll() is not None]:
            self._workers.remove(worker)
            last = worker.log().strip().splitlines()[-1:] or ["(it wrote nothing)"]
            self._report.exits[f"exit code {worker.process.returncode}: {last[0][:160]}"] += 1
            self.start_worker()

    def _pick(self) -> Worker:
        return self._random.choice(self._workers)


def run(
    seed: int,
    *,
    disturbances: int,
    rate: float,
    say: Callable[[str], None],
    kinds: Sequence[Disturbance] = tuple(Disturbance),
) -> Report:
    """One seed on a Kafka of its own."""
    report = Report(seed)
    with tempfile.TemporaryDirectory(prefix="triage-stress-") as folder, kept_broker(Path(folder)) as broker:
        pipeline = Pipeline(broker.bootstrap, Path(folder) / "data")
        with pipeline.with_topics(delete=False):
            audit, stage = Audit(pipeline, report), Stage(pipeline, broker, report, seed)
            load = Load(pipeline, rate, seed)
            stage.start_worker()
            load.start()
            try:
                for number, kind in enumerate(stage.schedule(disturbances, kinds), 1):
                    stage.pause()
                    stage.disturb(kind)
                    report.disturbances[kind] += 1
                    audit.check(kind)
                    say(
                        f"seed {seed}: {number}/{disturbances} {kind}: {report.events:,} events, "
                        f"{report.without_output:,} to be decided, {len(report.problems)} problems"
                    )
                load.stop()
                left, deadline = report.events + 1, 0.0
                while not audit.check("the end"):
                    stage.look_after()
                    if report.without_output < left:  # however slow the machine is
                        left, deadline = report.without_output, time.monotonic() + DRAINED_WITHIN_SECONDS
                    if time.monotonic() > deadline:
                        report.problems.append(f"{DRAINED_WITHIN_SECONDS:.0f} s without progress after the end")
                        break
                    time.sleep(1)
            finally:
                audit.close()
    return report


@contextmanager
def kept_broker(folder: Path) -> Iterator[Broker]:
    """A broker that stays at its port and with its log when it is started again."""
    with Broker(folder / "kafka") as first:
        port = first.port
    with Broker(folder / "kafka", port=port) as broker:
        yield broker


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=60, help="disturbances for each seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--kinds", type=Disturbance, nargs="+", default=list(Disturbance), help=", ".join(Disturbance))
    parser.add_argument("--rate", type=float, default=200.0, help="tickets a second")
    given = parser.parse_args(arguments)
    reports = [
        run(
            seed,
            disturbances=given.events,
            rate=given.rate,
            say=lambda line: print(line, flush=True),
            kinds=given.kinds,
        )
        for seed in given.seeds
    ]
    for report in reports:
        print("\n".join(report.lines()))
    return int(any(report.problems or report.without_output for report in reports))


if __name__ == "__main__":
    sys.exit(main())
