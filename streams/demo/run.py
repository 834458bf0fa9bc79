"""`triage demo`: everything on one machine, on real parts, with nothing to install or start beside it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console
from rich.live import Live

from schemas import topics
from schemas.alerts import Alert, AlertStage
from schemas.codec import Codec
from schemas.decisions import Decision
from schemas.errors import BadSettings, TriageError, WorkFailed
from schemas.events import TicketEvent
from sinks.notify.counterpart import Counterpart, served
from sinks.owner import find_owner
from sinks.store import Store
from streams import topic_admin, wiring
from streams.broker import Broker
from streams.demo.outage import Outages
from streams.demo.view import DemoState, incident_line, live_view, named_line, page_line
from streams.feed import outgoing
from streams.publish import Outgoing, Publisher
from streams.settings import EMBEDDED_STORE, Settings

KAFKA_FOLDER = "kafka"
WORKER_LOG = "worker.log"
HISTORY = timedelta(days=7)
"""The generated tickets begin so long ago: a week shows the daily rhythm."""
MALFORMED_EVERY = 500
"""Every so many events one is broken, to show that it stops nobody."""
_TOLD_WITHIN = 2 * HISTORY
"""How old a word may be that is told: the tickets' time begins a week ago."""
_TICK_SECONDS = 0.1
_WORKER_READY_SECONDS = 60.0
_WORKER_STOP_SECONDS = 40.0
_ALERT_WITHIN_SECONDS = 40.0
_QUIET_SECONDS = 2.0
"""So long without another incident, and all of an outage are told."""


def run_demo(
    settings: Settings,
    *,
    tickets: int | None,
    rate: float,
    seed: int,
    fresh: bool,
    jar_progress: Callable[[int, int], None],
    console: Console,
) -> None:
    """Run the demo until Ctrl-C, or until `tickets` events are fed, decided and stored. `rate` is events per second."""
    folder = settings.data_dir
    if settings.clickhouse_url is not None or settings.store_access.embedded_folder is None:
        raise BadSettings(
            "the demo has a store of its own; unset TRIAGE_CLICKHOUSE_URL, or use triage worker and triage feed"
        )
    if find_owner(folder / EMBEDDED_STORE) is not None and _is_owned(folder / EMBEDDED_STORE):
        raise BadSettings(
            f"a worker or another demo has the store in {folder} open; end it, or give --data-dir another folder"
        )
    if fresh:
        for name in (KAFKA_FOLDER, EMBEDDED_STORE):
            shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    console.print(f"[dim]starting Apache Kafka and the worker; their data: {folder}[/]", soft_wrap=True)
    state = DemoState(store=str(folder / EMBEDDED_STORE))
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(folder / KAFKA_FOLDER, mirror=settings.maven_mirror, progress=jar_progress))
        state.broker = broker.bootstrap
        chosen = settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap})
        asyncio.run(topic_admin.ensure_topics(wiring.all_topics(chosen), chosen))
        pagerduty = stack.enter_context(served())
        state.pages = pagerduty.incidents
        worker = stack.enter_context(_worker(chosen, folder / WORKER_LOG, pagerduty))
        owner_store = stack.enter_context(_wait_for_store(chosen, worker, folder / WORKER_LOG))
        outages = Outages(seed=seed, start=_start(wiring.wall_clock()))
        _interruptible(_Demo(chosen, state, worker, owner_store, console, outages).run(tickets=tickets, rate=rate))
        state.phase = "stopping"
    _print_summary(state, console, settings)


class _Demo:
    """One run: feeds, reads decisions back, asks the store, draws."""

    def __init__(
        self,
        settings: Settings,
        state: DemoState,
        worker: subprocess.Popen[bytes],
        store: Store,
        console: Console,
        outages: Outages,
    ) -> None:
        self._settings = settings
        self._state = state
        self._worker = worker
        self._store = store
        self._console = console
        self._stored_before = 0
        self._malformed = 0
        self._expected = 0
        self._done_feeding = False
        self._fed_at = 0.0
        self._outages = outages

    async def run(self, *, tickets: int | None, rate: float) -> None:
        """Run until cancelled or until `tickets` are through."""
        self._stored_before = await asyncio.to_thread(self._count_stored)
        self._state.phase = "running"
        jobs = [
            asyncio.create_task(job) for job in (self._feed(tickets, rate), self._read_decisions(), self._ask_store())
        ]
        drawing = asyncio.create_task(self._draw())
        try:
            while not self._is_through():
                finished = [job for job in jobs if job.done()]
                for job in finished:
                    job.result()
                if self._worker.poll() is not None:
                    raise WorkFailed(f"the worker has ended by itself; its log: {self._settings.data_dir / WORKER_LOG}")
                await asyncio.sleep(_TICK_SECONDS)
        finally:
            for job in (*jobs, drawing):
                job.cancel()
            await asyncio.gather(*jobs, drawing, return_exceptions=True)

    def _is_through(self) -> bool:
        state = self._state
        return (
            self._done_feeding
            and state.decided >= self._expected
            and state.stored >= self._expected
            and state.dead >= self._malformed
            and not self._awaits_the_outage()
        )

    def _awaits_the_outage(self) -> bool:
        """Whether more is to be told of the outages that were fed; it is waited for, but not for ever."""
        state, newest = self._state, self._state.simulated
        if newest is None or not self._outages.over(newest):
            return False
        told = bool(state.incidents) and state.all_told() and (state.all_over() or not self._outages.is_settled(newest))
        return not told and time.monotonic() - self._fed_at < _ALERT_WITHIN_SECONDS

    async def _feed(self, tickets: int | None, rate: float) -> None:
        codec = Codec()
        events = self._outages.events()
        upcoming = next(events)
        began, seen = time.monotonic(), 0
        async with Publisher(self._settings.producer_options()) as publisher:
            while tickets is None or self._state.fed < tickets:
                due = int((time.monotonic() - began) * rate) - self._state.fed
                if tickets is not None:
                    due = min(due, tickets - self._state.fed)
                batch: list[Outgoing] = []
                over = seen
                for _ in range(due):
                    # At night the first ticket after an outage may come so late that its incident is over by then.
                    if (over := self._outages.over(upcoming.occurred_at)) > seen:
                        break
                    batch.append(self._next(upcoming, codec))
                    upcoming = next(events)
                if batch and self._state.simulated is not None:
                    self._state.fed_at.append((self._state.simulated, wiring.wall_clock().timestamp()))
                await publisher.publish(batch)
                if over > seen:
                    seen = over
                    began += await self._until_told()
                self._state.rate = self._state.fed / max(1e-9, time.monotonic() - began)
                await asyncio.sleep(_TICK_SECONDS)
        self._fed_at = time.monotonic()
        self._done_feeding = True
        self._state.phase = "all is fed; what is decided, stored and told of it is waited for"

    async def _until_told(self) -> float:
        """Wait until on-call is told of the outage that ends here; the seconds that it took.

        The tickets of half an hour come within a second or two. On-call is rightly not told of what is over by then.
        """
        state, asked = self._state, time.monotonic()
        before, quiet_since, known = state.phase, asked, -1
        state.phase = "an outage is about to end; the tickets wait until on-call is told"
        while time.monotonic() - asked < _ALERT_WITHIN_SECONDS:
            told = state.all_told() and any(one.stage is not AlertStage.RESOLVED for one in state.incidents.values())
            if not told or len(state.incidents) != known:
                quiet_since, known = time.monotonic(), len(state.incidents)
            elif time.monotonic() - quiet_since >= _QUIET_SECONDS:
                break
            await asyncio.sleep(_TICK_SECONDS)
        state.phase = before
        return time.monotonic() - asked

    def _next(self, event: TicketEvent, codec: Codec) -> Outgoing:
        state = self._state
        state.fed += 1
        state.simulated = event.occurred_at
        record = outgoing(event, codec)
        if state.fed % MALFORMED_EVERY == 0:
            self._malformed += 1
            return Outgoing(topic=record.topic, key=record.key, value=b'{"not": "avro"}', headers=record.headers)
        if event.kind.needs_decision:
            self._expected += 1
        return record

    async def _read_decisions(self) -> None:
        codec = Codec()
        wanted = (topics.DECISIONS.name, topics.DEAD_LETTERS.name, topics.ALERTS.name)
        counts = await topic_admin.partition_counts(wanted, self._settings)
        options: dict[str, Any] = self._settings.kafka_options()
        consumer = AIOKafkaConsumer(**options, enable_auto_commit=False)
        await consumer.start()
        try:
            places = [TopicPartition(name, number) for name, count in counts.items() for number in range(count)]
            consumer.assign(places)
            await consumer.seek_to_end(*places)
            while True:
                for place, records in (await consumer.getmany(timeout_ms=200)).items():
                    if place.topic == topics.DEAD_LETTERS.name:
                        self._state.dead += len(records)
                        continue
                    if place.topic == topics.ALERTS.name:
                        for record in records:
                            self._show_alert(codec.decode(record.value, Alert), record.timestamp / 1000)
                        continue
                    for record in records:
                        self._show(codec.decode(record.value, Decision))
        finally:
            await consumer.stop()

    def _show_alert(self, alert: Alert, on_topic: float) -> None:
        self._state.incidents[alert.incident_id] = alert
        if alert.stage is AlertStage.OPENED:
            self._state.opened.setdefault(alert.incident_id, (alert, on_topic))
        if not self._console.is_terminal and alert.stage in (AlertStage.OPENED, AlertStage.RESOLVED):
            self._console.print(incident_line(alert))

    def _show(self, decision: Decision) -> None:
        state = self._state
        state.decided += 1
        state.latest.append(decision)
        state.categories[decision.category.label] += 1
        state.languages[decision.language.label] += 1
        state.bands[decision.band.value] += 1
        if decision.incident_id is not None:
            state.named[decision.incident_id] += 1

    async def _ask_store(self) -> None:
        while True:
            self._state.stored = await asyncio.to_thread(self._count_stored) - self._stored_before
            await asyncio.sleep(0.5)

    def _count_stored(self) -> int:
        return int(self._store.query("SELECT count() FROM ticket_decisions").rows[0][0])

    async def _draw(self) -> None:
        if not self._console.is_terminal:
            while True:
                await asyncio.sleep(2)
                state = self._state
                self._console.print(
                    f"{state.fed:,} fed, {state.decided:,} decided, {state.stored:,} stored, {state.dead:,} dead"
                    + ("" if state.phase == "running" else f"; {state.phase}"),
                    soft_wrap=True,
                )
        with Live(live_view(self._state), console=self._console, refresh_per_second=5, screen=True) as live:
            while True:
                live.update(live_view(self._state))
                await asyncio.sleep(0.2)


def _start(now: datetime) -> datetime:
    return (now - HISTORY).astimezone(UTC).replace(microsecond=0)


@contextmanager
def _worker(settings: Settings, log: Path, pagerduty: Counterpart) -> Iterator[subprocess.Popen[bytes]]:
    """The worker as a process of its own, as in production; SIGTERM lets it finish what it holds.

    It pages the counterpart, and nobody else whatever is set: these tickets are made up. Nor is anybody told that they
    are late, or more than the worker can take.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.upper().startswith("TRIAGE_NOTIFY_")},
        **pagerduty.environment("pagerduty"),
        "TRIAGE_NOTIFY_HOLD_BACK_AFTER_SECONDS": str(_TOLD_WITHIN.total_seconds()),
        **dict.fromkeys(("TRIAGE_ALERT_LAG_RECORDS", "TRIAGE_ALERT_DEAD_LETTERS", "TRIAGE_ALERT_SLA_TICKETS"), "0"),
        "TRIAGE_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TRIAGE_DATA_DIR": str(settings.data_dir),
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "worker"],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is ours: we end it in order
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_WORKER_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _wait_for_store(settings: Settings, worker: subprocess.Popen[bytes], log: Path) -> Iterator[Store]:
    """The worker's store over HTTP, once it is up."""
    folder = settings.data_dir / EMBEDDED_STORE
    deadline = time.monotonic() + _WORKER_READY_SECONDS
    while worker.poll() is None and time.monotonic() < deadline:
        owner = find_owner(folder)
        if owner is not None:
            try:
                store = Store(owner.access(settings.clickhouse_database))
            except TriageError:
                pass  # the note of an owner that has died; ours will write its own
            else:
                with store:
                    yield store
                return
        time.sleep(_TICK_SECONDS)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise WorkFailed(f"the worker did not come up. Its log: {log}\n{tail}")


def _is_owned(folder: Path) -> bool:
    owner = find_owner(folder)
    try:
        if owner is not None:
            Store(owner.access("default")).close()
            return True
    except TriageError:
        pass
    return False


def _interruptible(work: Any) -> None:
    """Run `work` until it ends or SIGINT or SIGTERM comes; both are an orderly end."""

    async def until_signal() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(until_signal())


def _print_summary(state: DemoState, console: Console, settings: Settings) -> None:
    for name, alert in state.incidents.items():
        console.print(incident_line(alert), page_line(state, name), named_line(state, alert), sep="\n", soft_wrap=True)
    console.print(
        f"{state.fed:,} events fed, {state.decided:,} decided, {state.stored:,} decisions in the store, "
        f"{state.dead:,} dead letters. Look at them again:"
    )
    option = (
        ""
        if settings.data_dir == Settings.model_fields["data_dir"].get_default(call_default_factory=True)
        else f"--data-dir {settings.data_dir} "
    )
    console.print(f"  triage {option}query", soft_wrap=True)
    console.print(f"  triage {option}query --list", soft_wrap=True)
