"""How long a ticket waits: from the event's time to its decision, read by another process; and restarts.

    python3 dev.py bench-latency

The real `triage worker --only triage` on a real Kafka of 8 partitions. Load, worker, Kafka and the measuring share the
machine. A latency is the time from the moment that an event is made to the moment that its decision has been read, in
ms. The worker's load is its CPU time over the wall time of the measurement, in cores.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from confluent_kafka import OFFSET_END, Consumer, TopicPartition
from rich.console import Console
from rich.table import Table

from schemas import topics
from schemas.codec import Codec
from schemas.events import TicketEvent
from streams import topic_admin, wiring
from streams.app import SESSION_TIMEOUT
from streams.broker import Broker
from streams.demo.generator import generate
from streams.feed import outgoing
from streams.publish import Publisher
from streams.settings import Settings, load_settings

TICK_SECONDS = 0.002
WARM_UP_SECONDS = 20.0
QUIET_SECONDS = 2.0
READY_WITHIN_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure latencies at each rate and with each number of workers, then restarts; print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=float, nargs="+", default=[100, 250, 500, 2_000], help="tickets a second")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=15.0, help="of each measurement")
    parser.add_argument("--restarts", type=int, default=5, help="of each kind; 0 leaves them out")
    given = parser.parse_args(arguments)
    console = Console()
    with Broker() as broker, tempfile.TemporaryDirectory(prefix="triage-latency-") as folder:
        settings = load_settings(kafka_bootstrap_servers=broker.bootstrap, data_dir=Path(folder), app_id="bench")
        topic_admin.check(asyncio.run(topic_admin.ensure_topics(wiring.all_topics(settings), settings)))
        table = Table("workers", "tickets/s", "p50 ms", "p99 ms", "max ms", "load, cores", "MiB each")
        for number in given.workers:
            for rate in given.rates:
                with ExitStack() as stack:
                    workers = [stack.enter_context(worker(settings)) for _ in range(number)]
                    latencies, load = measured(settings, workers, rate, given.seconds)
                    memory = max(memory_mib(process) for process in workers)
                table.add_row(f"{number}", f"{rate:,.0f}", *summary(latencies), f"{load:.2f}", f"{memory:,.0f}")
        console.print(table)
        if given.restarts:
            console.print(restarts(settings, given.restarts))
    return 0


def measured(
    settings: Settings, workers: Sequence[subprocess.Popen[bytes]], rate: float, seconds: float
) -> tuple[list[float], float]:
    """Latencies in ms at `rate`, and the CPU that all workers took, in cores."""
    with reader(settings) as consumer:
        while list(decisions(consumer, QUIET_SECONDS)):
            pass  # what an earlier measurement has left
    with reader(settings) as consumer, loaded(settings, rate):
        list(decisions(consumer, WARM_UP_SECONDS))
        began, cpu = time.monotonic(), sum(map(cpu_seconds, workers))
        latencies = [latency for latency, _ in decisions(consumer, seconds)]
        load = (sum(map(cpu_seconds, workers)) - cpu) / (time.monotonic() - began)
    return sorted(latencies), load


def restarts(settings: Settings, number: int) -> Table:
    """The time from the signal to the first decision of the worker that is started at once in place of the old one."""
    title = (
        f"From the signal to the first decision of the next worker, s; session {SESSION_TIMEOUT.total_seconds():.0f} s"
    )
    table = Table("restart", "median", "max", "of it until the old one was gone", title=title)
    for name, code, identity in (
        ("SIGTERM", signal.SIGTERM, None),
        ("SIGKILL", signal.SIGKILL, None),
        ("SIGTERM, TRIAGE_INSTANCE_ID", signal.SIGTERM, "one"),
        ("SIGKILL, TRIAGE_INSTANCE_ID", signal.SIGKILL, "one"),
    ):
        waits: list[float] = []
        gone: list[float] = []
        chosen = settings.model_copy(update={"app_id": f"restart-{code}-{identity}"})
        with reader(settings) as consumer, loaded(settings, 50), ExitStack() as stack:
            process = stack.enter_context(worker(chosen, identity))
            for _ in range(number):
                list(decisions(consumer, 2.0))
                signalled = time.time()
                process.send_signal(code)
                process.wait(60)
                ended = time.time()
                process = stack.enter_context(worker(chosen, identity, wait=False))
                first = next(written for _, written in decisions(consumer, 60.0) if written > ended)
                waits.append(first - signalled)
                gone.append(ended - signalled)
        table.add_row(name, f"{statistics.median(waits):.1f}", f"{max(waits):.1f}", f"{statistics.median(gone):.1f}")
    return table


def summary(latencies: Sequence[float]) -> tuple[str, str, str]:
    """p50, p99 and the longest."""
    if not latencies:
        return "none", "none", "none"
    ordered = sorted(latencies)
    return tuple(f"{ordered[min(len(ordered) - 1, int(len(ordered) * part))]:,.0f}" for part in (0.5, 0.99, 1.0))  # type: ignore[return-value]  three of them


def decisions(consumer: Consumer, seconds: float) -> Iterator[tuple[float, float]]:
    """Latency in ms and the time of writing, in s, of each decision read within `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        record = consumer.poll(0.05)  # one by one: `consume` waits until it has as many as it was asked for
        now = time.time()
        if record is not None and record.error() is None:
            made = datetime.fromisoformat(dict(record.headers())["ce_time"].decode()).timestamp()
            yield (now - made) * 1000, record.timestamp()[1] / 1000


@contextmanager
def reader(settings: Settings) -> Iterator[Consumer]:
    """A consumer of the decisions from now on."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "group.id": "bench-latency",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 50,
        }
    )
    consumer.assign(
        [TopicPartition(topics.DECISIONS.name, number, OFFSET_END) for number in range(settings.topic_partitions)]
    )
    consumer.consume(1, timeout=1.0)
    try:
        yield consumer
    finally:
        consumer.close()


@contextmanager
def loaded(settings: Settings, rate: float) -> Iterator[None]:
    """A process that feeds `rate` tickets a second, spread evenly."""
    process = multiprocessing.get_context("spawn").Process(
        target=feed, args=(settings.kafka_bootstrap_servers, rate), daemon=True
    )
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def feed(servers: str, rate: float) -> None:
    """Feed until killed; an event's time is the moment of its making."""
    asyncio.run(_feed(servers, rate))


async def _feed(servers: str, rate: float) -> None:
    codec = Codec()
    ready = [event for event in islice(generate(seed=9, start=wiring.wall_clock()), 6_000) if event.kind.needs_decision]
    async with Publisher({"bootstrap.servers": servers, "linger.ms": 0}) as publisher:
        began, fed = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began) * rate) - fed
            for number in range(fed, fed + due):
                event: TicketEvent = replace(
                    ready[number % len(ready)], event_id=f"{os.getpid()}-{number}", occurred_at=wiring.wall_clock()
                )
                publisher.enqueue([outgoing(event, codec)])
            fed += due
            await asyncio.sleep(TICK_SECONDS)


@contextmanager
def worker(settings: Settings, identity: str | None = None, *, wait: bool = True) -> Iterator[subprocess.Popen[bytes]]:
    """`triage worker --only triage`, as a process of its own."""
    log = settings.data_dir / f"worker-{time.monotonic_ns()}.log"
    environment = {
        **os.environ,
        "TRIAGE_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TRIAGE_DATA_DIR": str(settings.data_dir),
        "TRIAGE_APP_ID": settings.app_id,
        **({"TRIAGE_INSTANCE_ID": identity} if identity else {}),
    }
    with log.open("wb") as output:
        command = [sys.executable, "-m", "streams.cli", "worker", "--only", "triage"]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while wait and b"ready:" not in log.read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the worker is not ready:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """CPU time of a process so far, its threads included."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(process: subprocess.Popen[bytes]) -> float:
    """The resident memory of a process."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
