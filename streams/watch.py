"""Noticing that a worker is stuck, so that it ends and a new one takes its place.

Faust and its client can stop fetching after a rebalance while they go on sending heartbeats: Kafka then leaves the
partitions where nobody works on them. `Watch` sees that from what the log holds and what is finished. `Guard` is a
thread, since an event loop that hangs cannot see it: it notices that, and that the whole process was frozen (SIGSTOP,
a paused virtual machine) for so long that Kafka has given its partitions away.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from schemas.errors import WorkerStuck

STUCK_AFTER = timedelta(seconds=60)
"""Without any progress although there is work."""

EXIT_TRY_LATER = 75
"""EX_TEMPFAIL of sysexits.h: the same command may succeed later."""

_REBALANCES = 2
"""Times the patience: Kafka itself gives a member a minute to come back."""

_TICK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionProgress:
    """One partition of one agent: offsets, of the log's end, of what is fetched next, of what is finished."""

    end: int
    position: int
    finished: int
    batches_in_hand: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentProgress:
    """One agent as it stands. `partitions` None: Kafka does not answer. `waiting_for` names a service that is away."""

    name: str
    rebalancing: bool
    waiting_for: str | None
    partitions: Mapping[tuple[str, int], PartitionProgress] | None

    @property
    def lag(self) -> int | None:
        """Records of its partitions that are not finished; None while Kafka does not answer."""
        if self.partitions is None:
            return None
        return sum(max(0, progress.end - progress.finished) for progress in self.partitions.values())

    @property
    def not_ready(self) -> str | None:
        """Why it does no work now; None where it does, or would if there were any."""
        if self.waiting_for is not None:
            return f"{self.name} waits: {self.waiting_for}"
        if self.rebalancing:
            return f"{self.name} waits for its partitions: the group rebalances"
        if self.partitions is None:
            return f"{self.name} waits: Kafka does not answer"
        return None


class Watch:
    """Judges progress over time. A service that is away is no reason to end: the worker waits for it, and says so."""

    def __init__(self, patience: timedelta = STUCK_AFTER) -> None:
        self._patience = patience
        self._since: dict[tuple[str, ...], tuple[object, timedelta]] = {}

    def look(self, agent: AgentProgress, now: timedelta) -> str | None:
        """What `agent` is stuck at, None where it is not. `now` is any clock that only goes forward."""
        if agent.partitions is None or agent.waiting_for is not None:
            self._forget(agent.name)
            return None
        if stuck := self._unchanged((agent.name, "rebalancing"), True, agent.rebalancing, now, _REBALANCES):
            return f"{agent.name}: the group rebalances since {stuck}"
        if agent.rebalancing:
            return None
        for (topic, partition), progress in agent.partitions.items():
            key, behind = (agent.name, topic, str(partition)), progress.finished < progress.end
            # With batches in hand, one more that is fetched is no progress.
            value = ("finished", progress.finished) if progress.batches_in_hand else ("position", progress.position)
            stuck = self._unchanged(key, value, behind, now)
            if not stuck:
                continue
            place = f"{agent.name}: {topic}[{partition}] ends at {progress.end}"
            if not progress.batches_in_hand:
                return f"{place} and is assigned, but nothing was fetched from {progress.position} on for {stuck}"
            return f"{place}, and of {progress.batches_in_hand} batches in hand none was finished for {stuck}"
        return None

    def _unchanged(self, key: tuple[str, ...], value: object, matters: bool, now: timedelta, patiences: int = 1) -> str:
        """How long `value` has been the same while it mattered, if that is too long; else nothing."""
        known, since = self._since.get(key, (None, now))
        if not matters or known != value:
            self._since[key] = (value, now)
            return ""
        waited = now - since
        return f"{waited.total_seconds():.0f} s" if waited >= self._patience * patiences else ""

    def _forget(self, agent: str) -> None:
        for key in [key for key in self._since if key[0] == agent]:
            del self._since[key]


class Guard(threading.Thread):
    """Watches the process from a thread of its own; `beat` is called by the event loop to show that it runs.

    A process that stood still for longer than `session` is reported to `on_frozen`. Where the loop shows nothing for
    `patience`, be it that it hangs or that a worker which has to end does not, all stacks are written to standard
    error and the process ends with exit code 75.
    """

    def __init__(
        self,
        *,
        session: timedelta,
        on_frozen: Callable[[WorkerStuck], None],
        patience: timedelta = STUCK_AFTER,
        leave: Callable[[int], None] = os._exit,
    ) -> None:
        super().__init__(name="triage-guard", daemon=True)
        self._session = session.total_seconds()
        self._patience = patience.total_seconds()
        self._on_frozen = on_frozen
        self._leave = leave
        self._done = threading.Event()
        self._beat = now_seconds()

    def beat(self) -> None:
        """The event loop runs."""
        self._beat = now_seconds()

    def stop(self) -> None:
        """The worker has ended in order."""
        self._done.set()

    def run(self) -> None:
        """Look twice a second, until stopped."""
        before = now_seconds()
        while not self._done.wait(_TICK_SECONDS):
            now = now_seconds()
            frozen, before = now - before - _TICK_SECONDS, now
            if frozen > self._session:
                self.beat()
                self._on_frozen(
                    WorkerStuck(
                        f"this process stood still for {frozen:.1f} s, longer than its session with Kafka "
                        f"({self._session:.0f} s): its partitions are with others"
                    )
                )
            elif now - self._beat > self._patience:
                self._give_up(f"the event loop has hung for {now - self._beat:.0f} s")

    def _give_up(self, reason: str) -> None:
        print(f"triage.watch: {reason}; the process ends. Its threads:", file=sys.stderr)  # noqa: T201  logging may hang
        faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
        self._leave(EXIT_TRY_LATER)


def now_seconds() -> float:
    """A clock that only goes forward, and also while the machine sleeps, where the system has one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
