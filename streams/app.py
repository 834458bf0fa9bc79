"""The Faust apps, one per agent: each has its own consumer group, so that a store that is away stops no decision."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import faust
from faust.tables.manager import TableManager

from schemas.topics import Topic
from streams.batches import Record, batches
from streams.metrics import Metric
from streams.settings import Settings
from streams.transport import BatchSchema

log = logging.getLogger("triage.app")

BATCHES = "triage-batches"
"""The scheme of streams.transport, as pyproject.toml registers it with Faust."""

MOST_AT_A_FETCH = 2_000
"""Records of one fetch, over all partitions."""

SESSION_TIMEOUT = timedelta(seconds=10)
"""After so long without a heartbeat, Kafka gives a worker's partitions to others."""

Work = Callable[[Sequence[Record]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPlan:
    """An agent: its name, what it reads, what it does with a batch, and how large and how patient batches are."""

    name: str
    topics: tuple[Topic, ...]
    work: Work
    most: int
    linger: timedelta = timedelta(0)
    most_at_a_fetch: int = MOST_AT_A_FETCH
    may_stand_by: bool = False
    """Another worker may have all there is: this one is ready nevertheless, to take over."""
    on_assigned: Callable[[], None] | None = None
    on_partitions: Callable[[Collection[int]], None] | None = None
    """Is told the numbers of all partitions that are assigned, whenever they change."""
    waiting_for: Callable[[], str | None] = lambda: None
    """Names the service that the work waits for because it is away; None while it works."""
    metrics: Callable[[], Sequence[Metric]] = tuple
    """What it measures."""


class _PromptTableManager(TableManager):
    """Faust's waits a second for tables that are still being declared; ours stand before the app starts."""

    async def on_start(self) -> None:
        """Replaces Faust's."""
        await self._update_channels()
        await self.recovery.start()


def build_app(plan: AgentPlan, settings: Settings, failed: asyncio.Future[None]) -> faust.App:
    """A Faust app that runs `plan`.

    When the work raises, `failed` gets the error and the agent stops for good: nothing more is acknowledged, so no
    offset passes the batch that failed.
    """
    faust_folder = settings.data_dir / "faust" / plan.name
    faust_folder.mkdir(parents=True, exist_ok=True)
    app = faust.App(
        f"{settings.app_id}.{plan.name}",
        broker=[f"{BATCHES}://{host}" for host in settings.kafka_bootstrap_servers.split(",")],
        broker_credentials=_credentials(settings),
        consumer_group_instance_id=f"{settings.instance_id}.{plan.name}" if settings.instance_id else None,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=SESSION_TIMEOUT.total_seconds(),
        broker_heartbeat_interval=1.0,
        broker_commit_interval=1.0,
        broker_max_poll_records=plan.most_at_a_fetch,
        stream_wait_empty=True,  # a graceful stop finishes and commits what it has begun
        topic_allow_declare=False,  # topics are made by `triage topics`, from the topic table
        topic_disable_leader=True,
        store="memory://",
        TableManager=_PromptTableManager,
        web_enabled=False,
        datadir=faust_folder,
        loghandlers=[],
    )
    source = app.topic(*(topic.name for topic in plan.topics), schema=BatchSchema())

    async def run(stream: Any) -> None:
        async for batch in batches(stream, most=plan.most, linger=plan.linger):
            try:
                await plan.work(batch.records)
            except Exception as error:  # noqa: BLE001  whatever it is, no later offset may be committed
                if not failed.done():
                    failed.set_exception(error)
                await asyncio.Event().wait()
            batch.ack()

    app.agent(source, name=plan.name)(run)
    if (on_assigned := plan.on_assigned) is not None:

        async def assigned(_app: Any, _partitions: Any, **_: Any) -> None:
            on_assigned()

        app.on_partitions_assigned.connect(cast("Any", assigned), weak=False)
    if (on_partitions := plan.on_partitions) is not None:

        async def numbered(_app: Any, assigned: Any, **_: Any) -> None:
            on_partitions({place.partition for place in assigned})

        app.on_partitions_assigned.connect(cast("Any", numbered), weak=False)
    return app


def _credentials(settings: Settings) -> Any:
    tls = settings.kafka_tls()
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_password
        return faust.SASLCredentials(
            username=settings.kafka_username,
            password=password.get_secret_value() if password else None,
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=tls,
        )
    return faust.SSLCredentials(tls) if tls is not None else None
