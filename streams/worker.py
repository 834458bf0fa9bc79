"""Running the agents until a signal, or until one of them cannot go on."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import faust

from schemas import topics
from schemas.codec import Codec
from schemas.decisions import Decision
from schemas.errors import StoreUnavailable, WorkerStuck
from schemas.events import TicketEvent
from streams import runtime, topic_admin, wiring
from streams.agents import READ_BY, Role
from streams.agents.triage import TriageAgent
from streams.app import AgentPlan, build_app
from streams.decoding import Decoder, opened_decoder
from streams.health import served_health
from streams.lessons import LessonReader, LiveLessons, warm_up
from streams.model_log import LiveModels, ModelLog, RecordedModels
from streams.monitor import Monitor
from streams.open_incidents import LiveIncidents
from streams.publish import Publisher
from streams.reading import Place, places_of, reader
from streams.settings import Settings

if TYPE_CHECKING:
    from models.decide import Models
    from schemas.model_log import ModelSet
    from sinks.archive import Archive

log = logging.getLogger("triage.worker")

STOP_WITHIN_SECONDS = 30.0

MOST_LEARNED = 50
"""Records of one batch of the learn agent: they take effect together."""

MOST_WATCHED = 50
"""Records of counts at a time. Those of a quiet night complete a hundred hops each: many would pass for stuck."""

MOST_TRIAGED = 500
"""Records of one batch of the triage agent, over all partitions."""


async def run_worker(
    settings: Settings, roles: Iterable[Role] = tuple(Role), *, ready: Callable[[], None] | None = None
) -> None:
    """Run the agents of `roles` until SIGTERM or SIGINT; `ready` is called once they consume.

    A stop finishes the batches in hand and commits them. Raises what made an agent stop; its offset is uncommitted.
    """
    roles = set(roles)
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    stop = _stop_on_signal()
    async with AsyncExitStack() as stack:
        # Most of it is waiting for a decompression, and Kafka is asked meanwhile.
        making = asyncio.ensure_future(asyncio.to_thread(wiring.own_models, settings)) if Role.TRIAGE in roles else None
        if making is not None:
            stack.callback(making.cancel)
        table = wiring.all_topics(settings)
        topic_admin.check(await topic_admin.ensure_topics(table, settings, create=False))
        codec = Codec()
        decoder = await stack.enter_async_context(opened_decoder(settings, codec, written=table))

        plans = await _plans(stack, settings, roles, making, codec, decoder, failed)
        apps = [build_app(plan, settings, failed) for plan in plans]
        monitor = Monitor(list(zip(plans, apps, strict=True)), patience=timedelta(seconds=settings.stuck_after_seconds))
        if settings.health_port is not None:
            port = await stack.enter_async_context(
                served_health(settings.health_host, settings.health_port, monitor.health, monitor.metrics)
            )
            log.info("health: http://%s:%d/livez and /readyz, and /metrics", settings.health_host, port)
        runtime.settled()
        watching = asyncio.ensure_future(monitor.run())
        stack.callback(watching.cancel)
        try:
            for app in apps:
                await app.start()
            needed = [app for plan, app in zip(plans, apps, strict=True) if not plan.may_stand_by]
            await _until_assigned(needed, failed, watching, stop)
            _raise_failure(failed, watching)
            log.info("ready: %s", ", ".join(plan.name for plan in plans))
            if ready is not None:
                ready()
            if making is not None or Role.LEARN in roles:
                warming = asyncio.ensure_future(asyncio.to_thread(warm_up))
                stack.callback(warming.cancel)
            await _first(failed, watching, stop.wait(), *(app.wait_until_stopped() for app in apps))
            _raise_failure(failed, watching)
            if not stop.is_set():
                raise WorkerStuck("a Faust app stopped by itself; the log says why")
        finally:
            waits = any(plan.waiting_for() is not None for plan in plans)  # for what may not come back soon
            await _stop_all(apps, failed, graceful=not (failed.done() or watching.done() or waits))
        _raise_failure(failed)  # where the last batch failed, the stop was not in order


def _raise_failure(*futures: asyncio.Future[None]) -> None:
    for future in futures:
        if future.done():
            future.result()


async def _plans(
    stack: AsyncExitStack,
    settings: Settings,
    roles: Collection[Role],
    making: Awaitable[tuple[ModelSet, Models]] | None,
    codec: Codec,
    decoder: Decoder,
    failed: asyncio.Future[None],
) -> list[AgentPlan]:
    """The agents of `roles`. `making` makes the models of the one that decides."""
    plans: list[AgentPlan] = []
    if making is not None:
        publisher = await stack.enter_async_context(Publisher(settings.producer_options()))
        source = await stack.enter_async_context(LessonReader(settings, decoder))
        lessons, incidents = LiveLessons(source, wiring.checkpoints(settings)), LiveIncidents(settings, source)
        models = LiveModels(ModelLog(settings, decoder), lessons, incidents, codec, *(await making))
        await models.open(publisher)
        agent = TriageAgent(
            models=models,
            held=await stack.enter_async_context(wiring.live_held(settings, decoder)),
            codec=codec,
            decoder=decoder,
            publisher=publisher,
            clock=wiring.wall_clock,
        )
        plans.append(
            AgentPlan(
                name=Role.TRIAGE,
                topics=READ_BY[Role.TRIAGE],
                work=agent,
                most=MOST_TRIAGED,
                on_assigned=agent.forget,
                waiting_for=lambda: agent.waiting_for,
            )
        )
    if Role.ARCHIVE in roles:
        plans.append(await _archive_plan(stack, settings, codec, decoder, failed))
    if Role.COUNT in roles:
        plans.append(await _count_plan(stack, settings, codec, decoder))
    if Role.WATCH in roles:
        plans.append(await _watch_plan(stack, settings, codec, decoder, failed))
    if Role.LEARN in roles:
        plans.append(await _learn_plan(stack, settings, codec, decoder, failed))
        plans.append(await _fold_plan(stack, settings, codec, decoder, failed))
        plans.append(await _drift_plan(stack, settings, codec, decoder))
    if Role.SHADOW in roles and settings.challenger is not None:
        plans.append(await _shadow_plan(stack, settings, settings.challenger, codec, decoder, failed))
    elif Role.SHADOW in roles:
        log.info("no challenger is set (TRIAGE_CHALLENGER): none is tried in the shadow")
    if Role.NOTIFY in roles:
        plans += await _notify_plans(stack, settings, decoder, failed)
    return plans


async def _archive_plan(
    stack: AsyncExitStack, settings: Settings, codec: Codec, decoder: Decoder, failed: asyncio.Future[None]
) -> AgentPlan:
    # What a worker that only decides would import for nothing: half a second of its start.
    from models.staffing import ServiceLevel  # noqa: PLC0415
    from sinks.archive import Archive  # noqa: PLC0415
    from sinks.migrations import migrate  # noqa: PLC0415
    from sinks.owner import serve_as_owner  # noqa: PLC0415
    from sinks.store import Store  # noqa: PLC0415
    from streams.agents.archive import ArchiveAgent  # noqa: PLC0415
    from streams.gauging import ASK_THE_STORE_EVERY, Gauging, store_gauges  # noqa: PLC0415
    from streams.planning import Planner  # noqa: PLC0415

    publisher = await stack.enter_async_context(Publisher(settings.producer_options()))
    folder = settings.store_access.embedded_folder
    wanted = ServiceLevel(handling=timedelta(minutes=settings.handling_minutes))

    async def open_archive() -> Archive:
        store = await asyncio.to_thread(Store, settings.store_access)
        try:
            for migration in await asyncio.to_thread(migrate, store):
                log.info("applied migration %04d_%s", migration.version, migration.name)
            archive = Archive(store)
            await _check_log(archive, settings)
        except BaseException:
            store.close()
            raise
        stack.callback(store.close)
        if folder is not None:
            owner = await stack.enter_async_context(serve_as_owner(folder, store))
            log.info("the embedded store answers other processes at %s", owner.url)
        counted = await topic_admin.partition_counts([topics.DECISIONS.name], settings)
        calendar = await asyncio.to_thread(settings.calendar)
        planner = Planner(store, counted[topics.DECISIONS.name], wanted, wiring.wall_clock, calendar)
        planning = asyncio.ensure_future(planner.run())
        planning.add_done_callback(lambda done: _pass_on(done, failed))

        async def end_planning() -> None:
            planner.stop()
            await asyncio.wait({planning})  # the store is closed after that

        stack.push_async_callback(end_planning)
        gauging = Gauging(
            store_gauges(settings, store),
            settings=settings,
            codec=codec,
            decoder=decoder,
            publisher=await stack.enter_async_context(Publisher(settings.producer_options())),
            clock=wiring.wall_clock,
            every=ASK_THE_STORE_EVERY,
        )
        measuring = asyncio.ensure_future(gauging.run())
        measuring.add_done_callback(lambda done: _pass_on(done, failed))

        async def end_measuring() -> None:
            measuring.cancel()
            await asyncio.wait({measuring})

        stack.push_async_callback(end_measuring)
        return archive

    agent = ArchiveAgent(open_archive=open_archive, decoder=decoder, publisher=publisher, clock=wiring.wall_clock)
    try:
        await agent.open()
    except StoreUnavailable as away:
        if folder is not None:
            raise  # another process has it open: to wait for that one to end is a person's choice
        log.warning("%s; decisions go on, and Kafka keeps what is to be stored", away)
        _go_on_beside(agent.open_in_the_end(), stack, failed)
    return AgentPlan(
        name=Role.ARCHIVE,
        topics=READ_BY[Role.ARCHIVE],
        work=agent,
        waiting_for=lambda: agent.waiting_for,
        most=5_000,
        linger=timedelta(milliseconds=250),  # a part per table and insert: a few a second are what ClickHouse likes
        on_assigned=agent.forget,
    )


async def _count_plan(stack: AsyncExitStack, settings: Settings, codec: Codec, decoder: Decoder) -> AgentPlan:
    from streams.agents.count import CountAgent  # noqa: PLC0415  as above

    publisher = await stack.enter_async_context(Publisher(settings.producer_options()))
    agent = CountAgent(settings=settings, codec=codec, decoder=decoder, publisher=publisher)
    return AgentPlan(
        name=Role.COUNT,
        topics=READ_BY[Role.COUNT],
        work=agent,
        most=2_000,
        linger=timedelta(milliseconds=250),  # a bucket is told once for a batch, not once for each ticket
        on_assigned=agent.forget,
        waiting_for=lambda: agent.waiting_for,
    )


async def _watch_plan(
    stack: AsyncExitStack, settings: Settings, codec: Codec, decoder: Decoder, failed: asyncio.Future[None]
) -> AgentPlan:
    from streams.agents.watch import WatchAgent, snapshots  # noqa: PLC0415  as above
    from streams.gauging import Gauging, pipeline_gauges  # noqa: PLC0415

    counts = await topic_admin.partition_counts([topics.DECISIONS.name], settings)
    partitions = counts[topics.DECISIONS.name]
    agent = WatchAgent(
        make=await asyncio.to_thread(wiring.watch_maker, settings, partitions),
        snapshots=snapshots(settings),
        settings=settings,
        codec=codec,
        decoder=decoder,
        publisher=await stack.enter_async_context(Publisher(settings.producer_options())),
        marker=await stack.enter_async_context(Publisher(settings.producer_options())),
        teller=await stack.enter_async_context(Publisher(settings.producer_options())),
        incidents=LiveIncidents(settings, await stack.enter_async_context(LessonReader(settings, decoder))),
        clock=wiring.wall_clock,
    )
    gauging = Gauging(
        pipeline_gauges(settings),
        settings=settings,
        codec=codec,
        decoder=decoder,
        publisher=await stack.enter_async_context(Publisher(settings.producer_options())),
        clock=wiring.wall_clock,
        active=lambda: agent.is_watching,
    )
    for work in (agent.mark_idle_partitions(), agent.repeat_open_incidents(), gauging.run()):
        _go_on_beside(work, stack, failed)
    return AgentPlan(
        name=Role.WATCH,
        topics=READ_BY[Role.WATCH],
        work=agent,
        most=MOST_WATCHED,
        most_at_a_fetch=MOST_WATCHED,
        on_assigned=agent.forget,
        may_stand_by=True,
        waiting_for=lambda: agent.waiting_for,
    )


async def _learn_plan(
    stack: AsyncExitStack, settings: Settings, codec: Codec, decoder: Decoder, failed: asyncio.Future[None]
) -> AgentPlan:
    from streams.agents.learn import LearnAgent  # noqa: PLC0415  as above
    from streams.originals import Tickets  # noqa: PLC0415

    originals = await stack.enter_async_context(Tickets(settings, decoder, topics.EVENTS, TicketEvent))
    decided = await stack.enter_async_context(Tickets(settings, decoder, topics.DECISIONS, Decision))
    agent = LearnAgent(
        taxonomy=wiring.load_taxonomy(settings),
        partitions=[number for _, number in await places_of([topics.EVENTS.name], settings)],
        originals=originals,
        decided=decided,
        lessons=await stack.enter_async_context(LessonReader(settings, decoder)),
        codec=codec,
        decoder=decoder,
        publisher=await stack.enter_async_context(Publisher(settings.producer_options())),
        clock=wiring.wall_clock,
        csat_teaches=settings.csat_teaches,
    )

    def expect(partitions: Collection[int]) -> None:
        originals.expect(partitions)
        decided.expect(partitions)

    for work in (agent.repeat(), originals.follow(), decided.follow()):
        _go_on_beside(work, stack, failed)
    return AgentPlan(
        name=Role.LEARN,
        topics=READ_BY[Role.LEARN],
        work=agent,
        most=MOST_LEARNED,
        on_partitions=expect,
        waiting_for=lambda: agent.waiting_for,
    )


async def _drift_plan(stack: AsyncExitStack, settings: Settings, codec: Codec, decoder: Decoder) -> AgentPlan:
    from streams.agents.drift import DriftAgent  # noqa: PLC0415  as above

    agent = DriftAgent(
        lessons=LiveLessons(
            await stack.enter_async_context(LessonReader(settings, decoder)), wiring.checkpoints(settings, "drift")
        ),
        codec=codec,
        decoder=decoder,
        publisher=await stack.enter_async_context(Publisher(settings.producer_options())),
    )
    return AgentPlan(
        name=f"{Role.LEARN}-drift",
        topics=(topics.LESSONS,),
        work=agent,
        most=MOST_LEARNED,
        most_at_a_fetch=MOST_LEARNED,
        on_assigned=agent.forget,
        may_stand_by=True,
        waiting_for=lambda: agent.waiting_for,
    )


async def _fold_plan(
    stack: AsyncExitStack, settings: Settings, codec: Codec, decoder: Decoder, failed: asyncio.Future[None]
) -> AgentPlan:
    from streams.agents.fold import FoldAgent  # noqa: PLC0415  as above
    from streams.folding import Folding  # noqa: PLC0415
    from streams.lessons import CHECKPOINT_EVERY, Checkpoints  # noqa: PLC0415

    def make() -> Folding:
        from models.live_quality import QualityWindow  # noqa: PLC0415  with what learns: once there is a lesson

        checkpoints = Checkpoints(wiring.published_snapshots(settings), CHECKPOINT_EVERY)
        return Folding(source, checkpoints, lambda: QualityWindow(models.at, source.asked_at), "quality")

    source = await stack.enter_async_context(LessonReader(settings, decoder))
    model_log = ModelLog(settings, decoder)
    models = RecordedModels(model_log)
    wiring.published_snapshots(settings)  # a store that cannot be had is said now, not with the first lesson
    agent = FoldAgent(
        make=make,
        source=source,
        model_log=model_log,
        codec=codec,
        publisher=await stack.enter_async_context(Publisher(settings.producer_options())),
    )
    _go_on_beside(agent.begin(), stack, failed)
    return AgentPlan(
        name="fold",
        topics=(topics.LESSONS,),
        work=agent,
        most=MOST_LEARNED,
        most_at_a_fetch=MOST_LEARNED,
        on_partitions=agent.expect,
        may_stand_by=True,
        waiting_for=lambda: agent.waiting_for,
        metrics=agent.metrics,
    )


async def _shadow_plan(
    stack: AsyncExitStack,
    settings: Settings,
    name: str,
    codec: Codec,
    decoder: Decoder,
    failed: asyncio.Future[None],
) -> AgentPlan:
    from models.comparison import Comparison  # noqa: PLC0415  as above
    from models.sets import models_of  # noqa: PLC0415
    from streams.agents.shadow import ShadowAgent  # noqa: PLC0415
    from streams.folding import Folding  # noqa: PLC0415
    from streams.lessons import Checkpoints  # noqa: PLC0415

    model_log = ModelLog(settings, decoder)
    await model_log.read()
    challenger = wiring.named_set(name, model_log.sets)
    models = models_of(challenger)
    store = wiring.published_snapshots(settings)
    source = await stack.enter_async_context(LessonReader(settings, decoder))

    def make(version: str, live: Models) -> Folding:
        checkpoints = Checkpoints(store, head=Role.SHADOW)
        return Folding(source, checkpoints, lambda: Comparison(live, models), f"{challenger.version} beside {version}")

    agent = ShadowAgent(
        challenger=challenger,
        make=make,
        source=source,
        model_log=model_log,
        codec=codec,
        publisher=await stack.enter_async_context(Publisher(settings.producer_options())),
        propose=settings.propose_challenger,
    )
    await agent.open()
    _go_on_beside(agent.begin(), stack, failed)
    return AgentPlan(
        name=Role.SHADOW,
        topics=(topics.LESSONS,),
        work=agent,
        most=MOST_LEARNED,
        most_at_a_fetch=MOST_LEARNED,
        on_partitions=agent.expect,
        may_stand_by=True,
        waiting_for=lambda: agent.waiting_for,
        metrics=agent.metrics,
    )


async def _notify_plans(
    stack: AsyncExitStack, settings: Settings, decoder: Decoder, failed: asyncio.Future[None]
) -> list[AgentPlan]:
    from sinks.notify.sender import Sender  # noqa: PLC0415  as above
    from streams.agents.notify import AlertBoard, NotifyAgent, follow  # noqa: PLC0415

    receivers = wiring.receivers(settings)
    if not receivers:
        log.info("no receiver of alerts is set (TRIAGE_NOTIFY_*): nobody is told of them")
        return []
    too_old, tls = timedelta(seconds=settings.notify_hold_back_after_seconds), settings.notify_tls()
    board = AlertBoard(keep=too_old, clock=wiring.wall_clock)
    _go_on_beside(follow(board, settings, decoder), stack, failed)
    plans: list[AgentPlan] = []
    for receiver in receivers:
        agent = NotifyAgent(
            receiver=receiver,
            sender=await stack.enter_async_context(Sender(receiver, wiring.wall_clock, tls=tls)),
            board=board,
            decoder=decoder,
            publisher=await stack.enter_async_context(Publisher(settings.producer_options())),
            clock=wiring.wall_clock,
            too_old=too_old,
        )
        if receiver.resend_every is not None:
            _go_on_beside(agent.resend(receiver.resend_every), stack, failed)
        plans.append(
            AgentPlan(
                name=f"{Role.NOTIFY}-{receiver.name}",
                topics=(topics.ALERTS,),
                work=agent,
                most=1,  # so that after a crash one alert at most is told again
                most_at_a_fetch=1,
                on_assigned=agent.forget,
                waiting_for=partial(getattr, agent, "waiting_for"),
            )
        )
    return plans


def _go_on_beside(work: Coroutine[Any, Any, None], stack: AsyncExitStack, failed: asyncio.Future[None]) -> None:
    """Have `work` go on until the worker ends, which an error of it brings about."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: _pass_on(done, failed))
    stack.callback(task.cancel)


def _pass_on(task: asyncio.Future[None], failed: asyncio.Future[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None and not failed.done():
        failed.set_exception(error)


async def _check_log(archive: Archive, settings: Settings) -> None:
    known = {(topic, partition) for _, topic, partition in await asyncio.to_thread(archive.high_water)}
    counts = await topic_admin.partition_counts({topic for topic, _ in known}, settings)
    existing = [(topic, number) for topic, number in known if number < counts.get(topic, 0)]
    bounds: dict[Place, tuple[int, int]] = {}
    if existing:
        async with reader(settings) as source:
            bounds = await source.bounds(existing)
    for topic, partition in known:
        archive.check_log(topic, partition, bounds.get((topic, partition), (0, 0))[1])


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _until_assigned(
    apps: list[faust.App], failed: asyncio.Future[None], watching: asyncio.Future[None], stop: asyncio.Event
) -> None:
    async def assigned() -> None:
        while not all(app.consumer.assignment() for app in apps):  # noqa: ASYNC110  Faust has no event for it
            await asyncio.sleep(0.05)

    await _first(failed, watching, stop.wait(), assigned())


async def _first(*awaitables: Awaitable[Any]) -> None:
    """Wait until one of them is done; the others are given up, but for futures that were handed in as such."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for given, task in zip(awaitables, tasks, strict=True):
            if task is not given:
                task.cancel()


async def _stop_all(apps: list[faust.App], failed: asyncio.Future[None], *, graceful: bool) -> None:
    """Stop the apps. Gracefully: what is in hand is finished and committed, if it does not take too long or fail."""
    for app in apps:
        app.conf.stream_wait_empty = graceful
        stopping = asyncio.ensure_future(app.stop())
        await asyncio.wait(
            {stopping, failed} if graceful else {stopping},
            timeout=STOP_WITHIN_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if stopping.done():
            continue
        # Faust waits for what is in hand for ever, and swallows a cancellation: it has to believe that nothing is.
        log.warning("%s leaves its batches in hand unfinished: others will do them", app.conf.id)
        cast("Any", app.consumer)._unacked_messages.clear()  # noqa: SLF001  there is no other way out of its wait
        await asyncio.wait({stopping}, timeout=STOP_WITHIN_SECONDS)
