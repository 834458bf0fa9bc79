"""The whole pipeline under load while a seeded schedule kills, freezes and cuts off its parts; and the audit.

    python3 dev.py faults --kills 100 --seeds 1 2 3
    python3 dev.py faults --outage 120

Triage and archive workers run as processes of their own, on a real Kafka, with ClickHouse as a third. The audit reads
the logs from their beginning and the store: every event has one decision there, counts equal a single-threaded recount
of the log, tables equal those of a store that is filled from nothing, and `triage replay` makes every decision again,
byte for byte. tests/faults/test_faults.py runs a short schedule.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipeline import Pipeline, Worker, at
from store_process import PASSWORD
from stress import FROZEN_SECONDS, Load, kept_broker

from models.decide import decide
from models.held import HeldFields
from models.sets import models_of
from schemas import topics
from schemas.cloudevents import LATENCY_HEADER
from schemas.dead_letters import DeadLetter
from schemas.decisions import Assignment, Decision
from schemas.errors import DeadLettered
from schemas.events import TicketEvent
from schemas.lessons import activated_lessons
from schemas.model_log import ModelSet, activated_version
from schemas.open_incidents import told_incidents
from sinks.archive import Archive
from sinks.front import USER
from sinks.migrations import migrate
from sinks.rows import Row, dead_letter_row, decision_row, event_row
from sinks.store import Store, StoreAccess
from streams.batches import time_of
from streams.broker import Broker
from streams.topic_admin import committed_offsets, partition_counts
from streams.watch import EXIT_TRY_LATER

ROLES = ("triage", "archive")
DRAINED_WITHIN_SECONDS = 300.0
TABLES = ("ticket_events", "ticket_decisions", "dead_letters")
ARCHIVED = (topics.EVENTS, topics.DECISIONS, topics.DEAD_LETTERS)
REBUILT = "rebuilt"


class Fault(StrEnum):
    KILL_TRIAGE = "SIGKILL triage"
    KILL_ARCHIVE = "SIGKILL archive"
    FREEZE_TRIAGE = "SIGSTOP 12 s triage"
    FREEZE_ARCHIVE = "SIGSTOP 12 s archive"
    KILL_STORE = "SIGKILL ClickHouse"
    DROP_BEFORE = "insert dropped before it was run"
    DROP_AFTER = "insert dropped after it was run"
    DROP_LATE = "insert dropped and run 2 s later"
    BROKER = "broker restart"


KILLS = (Fault.KILL_TRIAGE, Fault.KILL_ARCHIVE, Fault.KILL_STORE)
DROPS = {Fault.DROP_BEFORE: "before", Fault.DROP_AFTER: "after", Fault.DROP_LATE: "late"}


@dataclass
class Report:
    """What one seed showed."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    exits: Counter[str] = field(default_factory=Counter)
    """How workers ended that nobody had killed."""
    figures: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """SIGKILLs; the goal of a run counts them alone."""
        return sum(self.faults[kind] for kind in KILLS)

    def lines(self) -> Iterator[str]:
        def counts(counter: Counter[str]) -> str:
            return ", ".join(f"{number:,} {name}" for name, number in counter.items()) or "none"

        yield f"seed {self.seed}: {self.kills} kills of {self.faults.total()} faults: {counts(self.faults)}"
        yield f"  workers that ended by themselves: {counts(self.exits)}"
        yield "  " + ", ".join(f"{name} {number:,}" for name, number in self.figures.items())
        yield f"  problems: {len(self.problems)}"
        yield from (f"    {problem}" for problem in self.problems[:20])


class StoreProcess:
    """ClickHouse as a process; it keeps its folder and its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        script = Path(__file__).with_name("store_process.py")
        # What it says besides belongs to what is done to it.
        self._process = subprocess.Popen(
            [sys.executable, str(script), str(self._folder), str(self._port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        with self._process.stdout as said:
            self.url = said.readline().strip()
        if not self.url:
            raise RuntimeError("the store's process did not start")
        self._port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)

    def drop(self, kind: str, connections: int) -> None:
        request = urllib.request.Request(f"{self.url}/faults?{kind}={connections}", method="POST")  # noqa: S310  ours
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310  ours

    def has_dropped(self, *, within: float) -> bool:
        """Whether all connections that were to be dropped are."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"{self.url}/faults", timeout=30) as answer:  # noqa: S310  ours
                if answer.read() == b"0":
                    return True
            time.sleep(0.1)
        return False

    def settings(self) -> dict[str, str]:
        """What a worker needs in its environment to write here."""
        return {
            "TRIAGE_CLICKHOUSE_URL": self.url,
            "TRIAGE_CLICKHOUSE_USERNAME": USER,
            "TRIAGE_CLICKHOUSE_PASSWORD": PASSWORD,
        }

    def access(self, database: str = "triage") -> StoreAccess:
        return StoreAccess(url=self.url, database=database, user=USER, password=PASSWORD)


class Stage:
    """Two workers of each role, and what may happen to them. It starts again what asks for it, as systemd would."""

    def __init__(self, pipeline: Pipeline, broker: Broker, store: StoreProcess, report: Report, seed: int) -> None:
        self._pipeline = pipeline
        self._broker = broker
        self._store = store
        self._report = report
        self._random = random.Random(seed)
        self._workers: dict[str, list[Worker]] = {role: [] for role in ROLES}

    def start(self) -> None:
        for role in ROLES:
            for _ in range(2):
                self._start_worker(role)

    def schedule(self, kills: int) -> list[Fault]:
        """Faults, each kind at least once, of which `kills` or more are kills; few are what takes long."""
        weights = [8 if kind in KILLS[:2] else 4 if kind is Fault.KILL_STORE else 1 for kind in Fault]
        chosen = list(Fault)
        while sum(kind in KILLS for kind in chosen) < kills:
            chosen += self._random.choices(list(Fault), weights)
        self._random.shuffle(chosen)
        return chosen

    def pause(self) -> None:
        time.sleep(self._random.uniform(0.3, 3.0))

    def do(self, kind: Fault) -> None:
        self.look_after()
        match kind:
            case Fault.KILL_TRIAGE | Fault.KILL_ARCHIVE:
                role = kind.rpartition(" ")[2]
                worker = self._random.choice(self._workers[role])
                self._workers[role].remove(worker)
                worker.kill()
                self._start_worker(role)
            case Fault.FREEZE_TRIAGE | Fault.FREEZE_ARCHIVE:
                worker = self._random.choice(self._workers[kind.rpartition(" ")[2]])
                worker.process.send_signal(signal.SIGSTOP)
                time.sleep(FROZEN_SECONDS)
                worker.process.send_signal(signal.SIGCONT)
            case Fault.KILL_STORE:
                self._store.kill()
                self.pause()
                self._store.start()
            case Fault.DROP_BEFORE | Fault.DROP_AFTER | Fault.DROP_LATE:
                self._store.drop(DROPS[kind], self._random.randint(1, 4))
                if not self._store.has_dropped(within=90):
                    self._report.problems.append(f"{kind}: no insert came to be dropped")
            case Fault.BROKER:
                self._broker.stop()
                self._broker.start()
        self._report.faults[kind] += 1

    def look_after(self) -> None:
        """Start a new worker in place of each that has ended by itself."""
        for role, workers in self._workers.items():
            for worker in [worker for worker in workers if worker.process.poll() is not None]:
                workers.remove(worker)
                said = worker.log().strip()
                last = said.splitlines()[-1:] or ["(it wrote nothing)"]
                if "does not answer" not in last[0] and "Unable to bootstrap" not in last[0]:
                    print(said[-6000:], file=sys.stderr, flush=True)  # what a worker that was stuck has to say
                self._ended(role, worker.process.returncode, last[0])
                self._start_worker(role)

    def stop(self) -> None:
        """End the workers in order; count what the archives were refused, as it stands in their logs."""
        for role, workers in self._workers.items():
            for worker in workers:
                if (code := worker.stop()) != 0:
                    self._ended(role, code, "(told to stop)")
        logs = [path.read_text(errors="replace") for path in self._pipeline.settings.data_dir.glob("worker-*.log")]
        self._report.figures["inserts refused to late writers"] = sum(log.count("has taken over what") for log in logs)

    def _ended(self, role: str, code: int, last: str) -> None:
        what = re.sub(r"\d+", "N", last[:80])
        self._report.exits[f"{role}, exit code {code}: {what}"] += 1
        if code != EXIT_TRY_LATER:
            self._report.problems.append(f"a {role} worker ended with {code}: {last[:300]}")

    def _start_worker(self, role: str) -> None:
        worker = self._pipeline.start_worker("--only", role, wait=False, **self._store.settings())
        self._workers[role].append(worker)


class Audit:
    """What must be in the store, computed from the logs alone, beside what is."""

    def __init__(self, pipeline: Pipeline, store: StoreProcess, report: Report) -> None:
        self._pipeline = pipeline
        self._store = store
        self._report = report
        self._logs = {topic: pipeline.read(topic) for topic in ARCHIVED}

    def run(self) -> None:
        rows = list(self._rows())
        with Store(self._store.access()) as store:
            self._once(store)
            self._counts(store)
            self._equal_to_a_rebuild(store, rows)
        self._assignments()
        self._replay()

    def _expect(self, what: str, found: Any, expected: Any) -> None:
        if found != expected:
            self._report.problems.append(f"{what}: {str(found)[:300]} instead of {str(expected)[:300]}")

    def _events(self) -> Iterator[tuple[Any, TicketEvent]]:
        for record in self._logs[topics.EVENTS]:
            if isinstance(event := self._decoded(record, TicketEvent), TicketEvent):
                yield record, event

    def _decoded(self, record: Any, word: type[Any]) -> Any:
        try:
            return self._pipeline.codec.decode(record.value, word)
        except DeadLettered as error:
            return error

    def _once(self, store: Store) -> None:
        """Every event of the log, and every decision and letter that is due, is one row."""
        events, bad = set(), set()
        for record in self._logs[topics.EVENTS]:
            marks = (activated_lessons, told_incidents)
            taught = any(said(record.value, record.headers) is not None for said in marks)
            if not taught and activated_version(record.value, record.headers) is None:
                good = isinstance(self._decoded(record, TicketEvent), TicketEvent)
                (events if good else bad).add((record.partition, record.offset))
        for table, expected in (("ticket_events", events), ("ticket_decisions", events), ("dead_letters", bad)):
            sql = f"SELECT src_partition, src_offset FROM {table}"  # noqa: S608  our own names
            found = Counter((int(number), int(offset)) for number, offset in store.query(sql).rows)
            lost, doubled = expected - found.keys(), [place for place, count in found.items() if count > 1]
            self._report.figures[f"{table} lost"] = len(lost)
            self._report.figures[f"{table} doubled"] = len(doubled)
            self._report.figures[table] = found.total()
            self._expect(f"lost in {table}", sorted(lost)[:5], [])
            self._expect(f"twice in {table}", doubled[:5], [])
            self._expect(f"too much in {table}", sorted(found.keys() - expected)[:5], [])

    def _counts(self, store: Store) -> None:
        """The counts that analysts see equal those of deciding on the log once more, one event after the other."""
        known = self._pipeline.read(topics.MODEL_SETS)
        sets = [self._pipeline.codec.decode(record.value, ModelSet) for record in known]
        models = models_of(sets[-1])
        recount: Counter[tuple[str, ...]] = Counter()
        held: defaultdict[int, HeldFields] = defaultdict(HeldFields)
        for record, event in self._events():
            earlier = held[record.partition].of(event, record.timestamp)
            made = decide(event, at(record), models, earlier)
            held[record.partition].take(event, record.timestamp)
            recount[made.category.label, made.priority.label, made.language.label, made.team, made.band.value] += 1
        answer = store.query(
            "SELECT category, priority, language, team, band, sum(decisions) FROM decisions_per_minute "
            "GROUP BY category, priority, language, team, band"
        )
        counts = {tuple(map(str, row[:-1])): int(row[-1]) for row in answer.rows}
        self._report.figures["wrong counts"] = sum(counts.get(key, 0) != recount[key] for key in counts | dict(recount))
        self._expect("counts", counts, dict(recount))

    def _rows(self) -> Iterator[Row]:
        """The rows that one reader of the logs makes, in their order."""
        for record, event in self._events():
            yield event_row(event, at(record))
        for record in self._logs[topics.DECISIONS]:
            latency = dict(record.headers)[LATENCY_HEADER]
            made = self._pipeline.codec.decode(record.value, Decision)
            yield decision_row(made, decided_at=time_of(record), latency_ms=int(latency))
        for record in self._logs[topics.DEAD_LETTERS]:
            letter = DeadLetter.read(record.key, record.value, record.headers, failed_at=time_of(record))
            yield dead_letter_row(letter, at(record))

    def _equal_to_a_rebuild(self, store: Store, rows: list[Row]) -> None:
        with Store(self._store.access(REBUILT)) as rebuilt:
            migrate(rebuilt)
            archive = Archive(rebuilt)
            for start in range(0, len(rows), 5_000):
                archive.write(rows[start : start + 5_000], now=datetime.now(UTC).replace(microsecond=0))
            for table in TABLES:
                # A hash of what each row holds, in whatever order; when it came in is its own.
                sql = f"SELECT count(), groupBitXor(cityHash64(* EXCEPT (ingested_at))) FROM {table}"  # noqa: S608  ours
                self._expect(f"{table} beside a rebuild", store.query(sql).rows, rebuilt.query(sql).rows)

    def _replay(self) -> None:
        """Every decision is made again, byte for byte."""
        done = self._pipeline.triage("replay", "--json", timeout=900)
        if not done.stdout:
            raise RuntimeError(f"triage replay: {done.stderr[-500:]}")
        report = json.loads(done.stdout)
        self._report.figures["decided again, identical"] = report["verdicts"]["identical"]
        self._report.figures["decisions emitted more than once"] = report["emitted_again"]
        self._expect("triage replay", (done.returncode, report["good"], report["waiting"]), (0, True, 0))
        self._expect("events replayed", report["events"], len(self._logs[topics.EVENTS]))
        if not report["good"]:
            self._report.problems.append(str(report["examples"][:3]))

    def _assignments(self) -> None:
        """Every decision has its assignment on its queue's topic, and there is no other."""
        codec = self._pipeline.codec
        decisions = (codec.decode(record.value, Decision) for record in self._logs[topics.DECISIONS])
        due = {(made.queue, codec.encode(Assignment.of(made))) for made in decisions}
        found = {(queue, record.value) for queue, records in self._pipeline.assignments().items() for record in records}
        self._report.figures["assignments"] = len(found)
        self._expect("assignments missing", len(due - found), 0)
        self._expect("assignments too much", len(found - due), 0)


def drained(pipeline: Pipeline) -> bool:
    """Whether both groups have committed to the ends of what they read."""

    async def ask() -> bool:
        for role, read in (("triage", (topics.EVENTS,)), ("archive", ARCHIVED)):
            counts = await partition_counts([topic.name for topic in read], pipeline.settings)
            places = [(name, number) for name, count in counts.items() for number in range(count)]
            committed = await committed_offsets(f"{pipeline.settings.app_id}.{role}", places, pipeline.settings)
            ends = await pipeline.ends(places)
            if any(committed.get(place, 0) < end for place, end in ends.items()):
                return False
        return True

    return asyncio.run(ask())


@contextmanager
def stage(seed: int, report: Report) -> Iterator[tuple[Pipeline, StoreProcess, Stage]]:
    """A Kafka, a ClickHouse and a pipeline of their own, with nothing running on them yet."""
    with tempfile.TemporaryDirectory(prefix="triage-faults-") as folder, kept_broker(Path(folder)) as broker:
        store = StoreProcess(Path(folder) / "clickhouse" / "store")
        pipeline = Pipeline(broker.bootstrap, Path(folder) / "data")
        try:
            store.start()
            with pipeline.with_topics(delete=False):
                yield pipeline, store, Stage(pipeline, broker, store, report, seed)
        finally:
            store.kill()


def until_drained(pipeline: Pipeline, parts: Stage, report: Report) -> None:
    deadline = time.monotonic() + DRAINED_WITHIN_SECONDS
    while not drained(pipeline):
        parts.look_after()
        if time.monotonic() > deadline:
            report.problems.append(f"not everything is stored {DRAINED_WITHIN_SECONDS:.0f} s after the end")
            return
        time.sleep(1)


def run(seed: int, *, kills: int, rate: float, say: Callable[[str], None]) -> Report:
    """One seed: load, `kills` kills and other faults between them, the audit."""
    report = Report(seed)
    with stage(seed, report) as (pipeline, store, parts):
        load = Load(pipeline, rate, seed)
        parts.start()
        load.start()
        schedule = parts.schedule(kills)
        for number, kind in enumerate(schedule, 1):
            parts.pause()
            parts.do(kind)
            say(f"seed {seed}: {number}/{len(schedule)} {kind}")
        load.stop()
        until_drained(pipeline, parts, report)
        parts.stop()
        say(f"seed {seed}: audit")
        Audit(pipeline, store, report).run()
    return report


def outage(seconds: float, *, rate: float, say: Callable[[str], None]) -> Report:
    """ClickHouse is away for `seconds` under load: readiness says so and returns, the lag drains, nothing is lost."""
    report = Report(0)
    with stage(0, report) as (pipeline, store, parts):
        port = free_port()
        load = Load(pipeline, rate, 0)
        for role in ROLES:
            pipeline.start_worker(
                "--only", role, TRIAGE_HEALTH_PORT=str(port) if role == "archive" else "0", **store.settings()
            )
        load.start()
        time.sleep(3)
        expect_ready(report, port, ready=True, within=20)
        say(f"ClickHouse ends; readiness: {readiness(port)}")
        store.kill()
        began = time.monotonic()
        expect_ready(report, port, ready=False, within=60)
        say(f"not ready after {time.monotonic() - began:.1f} s: {readiness(port)}")
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        lag = readiness(port)
        say(f"before it comes back: {lag}")
        store.start()
        began = time.monotonic()
        expect_ready(report, port, ready=True, within=90)
        say(f"ready again after {time.monotonic() - began:.1f} s")
        load.stop()
        until_drained(pipeline, parts, report)
        say(f"drained {time.monotonic() - began:.1f} s after ClickHouse came back")
        Audit(pipeline, store, report).run()
    return report


def free_port() -> int:
    import socket  # noqa: PLC0415  for this alone

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def readiness(port: int) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def expect_ready(report: Report, port: int, *, ready: bool, within: float) -> None:
    deadline = time.monotonic() + within
    while (readiness(port)[0] == 200) != ready:
        if time.monotonic() > deadline:
            report.problems.append(f"/readyz does not say {'200' if ready else '503'} within {within:.0f} s")
            return
        time.sleep(0.2)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="kills for each seed; other faults come between them")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--rate", type=float, default=100.0, help="tickets a second")
    parser.add_argument("--outage", type=float, metavar="SECONDS", help="instead: ClickHouse is away for so long")
    given = parser.parse_args(arguments)

    say = partial(print, flush=True)
    if given.outage is not None:
        reports = [outage(given.outage, rate=given.rate, say=say)]
    else:
        reports = [run(seed, kills=given.kills, rate=given.rate, say=say) for seed in given.seeds]
    for report in reports:
        say("\n".join(report.lines()))
    return int(any(report.problems for report in reports))


if __name__ == "__main__":
    sys.exit(main())
