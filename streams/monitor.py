"""Watching the running agents: how far each is, whether one is stuck, and what health checks are told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import faust
from faust.exceptions import ConsumerNotStarted

from schemas.errors import WorkerStuck
from streams.app import SESSION_TIMEOUT, AgentPlan
from streams.health import Health
from streams.metrics import Metric
from streams.transport import Consumer
from streams.watch import AgentProgress, Guard, PartitionProgress, Watch, now_seconds

log = logging.getLogger("triage.monitor")

_LOOK_EVERY_SECONDS = 5.0  # it asks Kafka for offsets, which a decision would have to wait for
_KAFKA_ANSWERS_WITHIN_SECONDS = 5.0
_BEAT_EVERY_SECONDS = 1.0


class Monitor:
    """Looks at the agents every few seconds; `run` raises WorkerStuck where one cannot go on."""

    def __init__(self, agents: Sequence[tuple[AgentPlan, faust.App]], *, patience: timedelta) -> None:
        self._agents = agents
        self._watch = Watch(patience)
        self._frozen: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._guard = Guard(session=SESSION_TIMEOUT, patience=patience, on_frozen=self._on_frozen)
        self._seen: dict[str, AgentProgress] = {}
        self._stuck: str | None = None
        self._said: tuple[str, ...] = ()
        self._loop = asyncio.get_running_loop()

    def health(self) -> Health:
        """What health checks are told."""
        return Health(
            stuck=self._stuck,
            not_ready=self._not_ready(),
            agents={
                name: {"lag": seen.lag, "partitions": len(seen.partitions or ())} for name, seen in self._seen.items()
            },
        )

    def metrics(self) -> list[Metric]:
        """What the agents measure, and how far each is behind."""
        lags = [({"agent": name}, float(seen.lag)) for name, seen in self._seen.items() if seen.lag is not None]
        own = Metric(name="triage_agent_lag_records", about="Records that an agent has still to work on.", samples=lags)
        return [own, *(metric for plan, _ in self._agents for metric in plan.metrics())]

    async def run(self) -> None:
        """Look until cancelled. The guard goes on until the process is gone, and ends it where it does not end."""
        self._guard.start()
        beating = asyncio.ensure_future(self._beat())
        try:
            while True:
                for plan, app in self._agents:
                    seen = self._seen[plan.name] = await self._look_at(plan, app)
                    self._stuck = self._stuck or self._watch.look(seen, timedelta(seconds=now_seconds()))
                if self._stuck:
                    raise WorkerStuck(f"{self._stuck}; this worker leaves, so that another one goes on")
                self._say_what_changed()
                await asyncio.wait([self._frozen], timeout=_LOOK_EVERY_SECONDS)
                if self._frozen.done():
                    self._frozen.result()
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        while True:
            self._guard.beat()
            await asyncio.sleep(_BEAT_EVERY_SECONDS)

    async def _look_at(self, plan: AgentPlan, app: faust.App) -> AgentProgress:
        consumer = cast("Consumer", app.consumer)
        partitions: dict[tuple[str, int], PartitionProgress] | None = None
        try:
            ends = await consumer.ends(_KAFKA_ANSWERS_WITHIN_SECONDS)
            flows = consumer.flows()
            partitions = {
                (tp.topic, tp.partition): PartitionProgress(
                    end=end,
                    position=flows[tp].position,
                    finished=flows[tp].finished if flows[tp].batches_in_hand else max(position, flows[tp].finished),
                    batches_in_hand=flows[tp].batches_in_hand,
                )
                for tp, (end, position) in ends.items()
                if tp in flows
            }
        except (ConsumerNotStarted, TimeoutError):
            pass
        except Exception as error:  # noqa: BLE001  whatever the client says, it has no answer from Kafka
            log.debug("no offsets of %s: %r", plan.name, error)
        return AgentProgress(
            name=plan.name, rebalancing=app.rebalancing, waiting_for=plan.waiting_for(), partitions=partitions
        )

    def _not_ready(self) -> tuple[str, ...]:
        missing = [f"{plan.name} has not started" for plan, _ in self._agents if plan.name not in self._seen]
        return (*missing, *(reason for seen in self._seen.values() if (reason := seen.not_ready) is not None))

    def _say_what_changed(self) -> None:
        now = self._not_ready()
        if now != self._said:
            log.warning("not ready: %s", "; ".join(now)) if now else log.info("ready again")
        self._said = now

    def _on_frozen(self, error: WorkerStuck) -> None:
        def tell() -> None:
            if not self._frozen.done():
                self._stuck = str(error)
                self._frozen.set_exception(error)

        self._loop.call_soon_threadsafe(tell)
