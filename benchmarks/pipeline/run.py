"""What a record costs: ours, plain Faust, hand-written loops and other frameworks, in one run on one real Kafka.

    python3 dev.py bench-pipeline

Every contestant reads the same topic of 8 partitions, does the same with each record (`work.py`), writes two outputs
with acks=all and an idempotent producer, and commits after the acknowledgements. They run one after the other, round
after round, each in a process of its own; the figure is that process's CPU time, all its threads included, from its
first record to its last acknowledgement. The frameworks have environments of their own in `.bench/`, made at the first
run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import uuid
import venv
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from work import DECISIONS, TEAMS

from schemas.codec import Codec
from streams.broker import Broker
from streams.demo.generator import generate
from streams.feed import outgoing
from streams.publish import Outgoing, Publisher

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENTS = ROOT / ".bench"
PARTITIONS = 8
FILL_BATCH = 5_000
TIMEOUT_SECONDS = 600

NAMES = {
    "ours": "triage (Faust in batches)",
    "ours_asyncio": "triage, without streams/runtime.py",
    "aiokafka_loop": "aiokafka, hand-written",
    "librdkafka_loop": "librdkafka, hand-written",
    "bytewax_flow": "Bytewax 0.21.1",
    "quix": "Quix Streams 3.28.1",
    "faststream_aiokafka": "FastStream 0.7.8, aiokafka",
    "faststream_confluent": "FastStream 0.7.8, confluent",
    "faust_plain": "Faust 0.15.3",
}
KINDS = {
    "forward": "of the transport alone",
    "headers": "of the transport with the seven headers of CloudEvents",
    "decide": "with the decision, and the headers",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all contestants and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--forward", type=int, default=40_000, help="records for the transport alone; 0 leaves it out")
    parser.add_argument("--headers", type=int, default=40_000, help="records for the transport with headers")
    parser.add_argument("--decide", type=int, default=8_000, help="records with the decision")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES))
    given = parser.parse_args(arguments)
    numbers = {kind: number for kind in KINDS if (number := getattr(given, kind))}
    console = Console()
    pythons = {name: environment_of(name, console) for name in given.only}
    found: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
    with Broker() as broker, Progress(console=console) as progress:
        asyncio.run(fill(broker.bootstrap, numbers))
        runs = progress.add_task("measuring", total=given.rounds * len(numbers) * len(given.only))
        for _ in range(given.rounds):
            for kind, number in numbers.items():
                for name in given.only:
                    progress.update(runs, description=f"{name} {kind}")
                    found[name, kind].append(measure(pythons[name], name, kind, number, broker.bootstrap))
                    progress.advance(runs)
    for kind, number in numbers.items():
        console.print(table_of(kind, number, given, found))
    return 0


def environment_of(name: str, console: Console) -> Path:
    """The Python of a contestant: ours, or one of its own where it has requirements."""
    requirements = HERE / "requirements" / f"{name}.txt"
    if not requirements.exists():
        return Path(sys.executable)
    folder = ENVIRONMENTS / name
    stamp, wanted = folder / "requirements", requirements.read_text() + (HERE / "requirements" / "work.txt").read_text()
    python = folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != wanted:
        console.print(f"installing {requirements.stem} ...")
        venv.create(folder, with_pip=True, clear=True)
        files = [part for file in (requirements, HERE / "requirements" / "work.txt") for part in ("-r", str(file))]
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *files], check=True)
        stamp.write_text(wanted)
    return python


async def fill(servers: str, numbers: dict[str, int]) -> None:
    """Make the topics, and fill those to read with tickets of the demo's generator."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    names = [*(f"bench.{kind}" for kind in numbers), DECISIONS, *TEAMS]
    await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
    await admin.close()
    codec = Codec()
    async with Publisher({"bootstrap.servers": servers}) as publisher:
        for kind, number in numbers.items():
            events = (event for event in generate(seed=5, start=datetime(2026, 3, 2, tzinfo=UTC)))
            needed = (event for event in events if event.kind.needs_decision)
            records = (outgoing(event, codec) for event in islice(needed, number))
            while batch := list(islice(records, FILL_BATCH)):
                await publisher.publish(
                    Outgoing(
                        topic=f"bench.{kind}",
                        key=record.key,
                        value=record.value,
                        headers=[] if kind == "forward" else record.headers,
                    )
                    for record in batch
                )


def measure(python: Path, name: str, kind: str, number: int, servers: str) -> dict[str, float]:
    """Run a contestant once over the whole topic; what it printed at its end."""
    command = [str(python), str(HERE / "contestants" / f"{name}.py")]
    command += [servers, f"bench.{kind}", f"{name}-{uuid.uuid4().hex[:8]}", str(number), kind]
    environment = {**os.environ, "PYTHONPATH": f"{HERE}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False, cwd=HERE
    )
    if done.returncode != 0 or not done.stdout.strip():
        raise SystemExit(f"{name} {kind} failed:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}")
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    if result["records"] != number:
        raise SystemExit(f"{name} {kind} handled {result['records']} records of {number}")
    return result


def table_of(
    kind: str, number: int, given: argparse.Namespace, found: dict[tuple[str, str], list[dict[str, float]]]
) -> Table:
    """CPU per record by contestant, and the ratio to the hand-written loops, round by round."""
    title = f"CPU {KINDS[kind]}, two outputs a record; {number:,} records, {given.rounds} rounds: median (min to max)"
    table = Table("", "us a record", "of aiokafka loop", "of librdkafka loop", "records/s", "MiB", title=title)
    for column in table.columns[1:]:
        column.justify = "right"

    def cpu(name: str) -> list[float]:
        return [result["cpu"] / number * 1e6 for result in found[name, kind]]

    def ratio(name: str, rival: str) -> str:
        if rival not in given.only:
            return ""
        pairs = [theirs / own for own, theirs in zip(cpu(name), cpu(rival), strict=True)]
        return f"{statistics.median(pairs):.2f}"

    for name in sorted(given.only, key=lambda item: statistics.median(cpu(item))):
        costs, results = cpu(name), found[name, kind]
        table.add_row(
            NAMES[name],
            f"{statistics.median(costs):,.1f} ({min(costs):,.1f} to {max(costs):,.1f})",
            ratio(name, "aiokafka_loop"),
            ratio(name, "librdkafka_loop"),
            f"{statistics.median(number / result['wall'] for result in results):,.0f}",
            f"{statistics.median(result['rss'] for result in results):,.0f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
