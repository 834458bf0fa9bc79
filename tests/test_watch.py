"""A worker that is stuck says so and ends; one that waits for a service does not."""

from __future__ import annotations

import time
from datetime import timedelta

import aiohttp
import pytest

from schemas.errors import BadSettings
from streams.health import Health, served_health
from streams.watch import EXIT_TRY_LATER, AgentProgress, Guard, PartitionProgress, Watch

MINUTE = timedelta(minutes=1)


def agent(
    *,
    end: int = 100,
    position: int = 50,
    finished: int = 50,
    in_hand: int = 0,
    rebalancing: bool = False,
    waiting_for: str | None = None,
    kafka_answers: bool = True,
) -> AgentProgress:
    progress = PartitionProgress(end=end, position=position, finished=finished, batches_in_hand=in_hand)
    return AgentProgress(
        name="triage",
        rebalancing=rebalancing,
        waiting_for=waiting_for,
        partitions={("tickets.events.v1", 3): progress} if kafka_answers else None,
    )


def verdict_after(seconds: float, first: AgentProgress, second: AgentProgress) -> str | None:
    watch = Watch(MINUTE)
    assert watch.look(first, timedelta(0)) is None
    return watch.look(second, timedelta(seconds=seconds))


def test_a_partition_that_is_assigned_and_not_fetched_is_stuck() -> None:
    verdict = verdict_after(61, agent(), agent(end=200))
    assert verdict is not None
    assert "tickets.events.v1[3] ends at 200" in verdict
    assert "nothing was fetched from 50 on for 61 s" in verdict


def test_batches_in_hand_that_are_never_finished_are_stuck() -> None:
    verdict = verdict_after(75, agent(position=90, in_hand=2), agent(position=90, in_hand=2))
    assert verdict is not None
    assert "of 2 batches in hand none was finished for 75 s" in verdict


def test_more_batches_in_hand_are_no_progress_while_none_is_finished() -> None:
    verdict = verdict_after(61, agent(position=90, in_hand=2), agent(position=99, in_hand=3))
    assert verdict is not None
    assert "of 3 batches in hand none was finished" in verdict


def test_a_rebalance_without_an_end_is_stuck() -> None:
    assert verdict_after(119, agent(rebalancing=True), agent(rebalancing=True)) is None
    verdict = verdict_after(120, agent(rebalancing=True), agent(rebalancing=True))
    assert verdict is not None
    assert "rebalances since 120 s" in verdict


@pytest.mark.parametrize(
    ("seconds", "second"),
    [
        (59, agent()),
        (500, agent(finished=51, position=51)),
        (500, agent(position=60, in_hand=1)),
        (500, agent(end=50)),
        (500, agent(waiting_for="ClickHouse does not answer")),
        (500, agent(kafka_answers=False)),
    ],
    ids=["not yet", "something was finished", "something was fetched", "nothing to do", "a store away", "Kafka away"],
)
def test_progress_idleness_and_services_that_are_away_are_no_reason_to_end(seconds: int, second: AgentProgress) -> None:
    assert verdict_after(seconds, agent(), second) is None


def test_the_time_that_a_service_was_away_does_not_count() -> None:
    watch = Watch(MINUTE)
    watch.look(agent(), timedelta(0))
    watch.look(agent(waiting_for="ClickHouse does not answer"), timedelta(seconds=50))
    assert watch.look(agent(), timedelta(seconds=70)) is None
    assert watch.look(agent(), timedelta(seconds=129)) is None
    assert watch.look(agent(), timedelta(seconds=130)) is not None


def test_lag_and_readiness_are_what_the_partitions_say() -> None:
    assert (agent(end=80).lag, agent(end=80).not_ready) == (30, None)
    assert agent(kafka_answers=False).lag is None
    assert "Kafka does not answer" in str(agent(kafka_answers=False).not_ready)
    assert "rebalances" in str(agent(rebalancing=True).not_ready)
    assert "ClickHouse" in str(agent(waiting_for="ClickHouse is away").not_ready)


def test_the_guard_ends_a_process_whose_event_loop_hangs(capfd: pytest.CaptureFixture[str]) -> None:
    codes: list[int] = []

    def leave(code: int) -> None:
        codes.append(code)
        guard.stop()

    guard = Guard(session=timedelta(seconds=10), patience=timedelta(seconds=0.6), on_frozen=lambda _: None, leave=leave)
    guard.start()
    guard.join(10)
    assert codes == [EXIT_TRY_LATER]
    written = capfd.readouterr().err
    assert "the event loop has hung" in written
    assert "most recent call first" in written


def test_the_guard_leaves_a_process_alone_whose_event_loop_runs() -> None:
    codes: list[int] = []
    guard = Guard(
        session=timedelta(seconds=10), patience=timedelta(seconds=1.5), on_frozen=lambda _: None, leave=codes.append
    )
    guard.start()
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        guard.beat()
        time.sleep(0.05)
    guard.stop()
    guard.join(10)
    assert not codes


async def test_health_tells_live_and_ready_apart_and_gives_the_reasons() -> None:
    health = Health(stuck=None, not_ready=("archive waits: ClickHouse",), agents={"archive": {"lag": 7}})
    async with served_health("127.0.0.1", 0, lambda: health) as port, aiohttp.ClientSession() as session:

        async def get(path: str) -> tuple[int, dict[str, object]]:
            async with session.get(f"http://127.0.0.1:{port}{path}") as response:
                return response.status, await response.json()

        assert await get("/livez") == (200, {"status": "ok", "agents": {"archive": {"lag": 7}}})
        assert await get("/readyz") == (503, {"status": "archive waits: ClickHouse", "agents": {"archive": {"lag": 7}}})
        health = Health(stuck="triage: nothing was fetched", not_ready=(), agents={})
        assert (await get("/livez"))[0] == 503
        assert (await get("/readyz"))[0] == 503
        health = Health(stuck=None, not_ready=(), agents={})
        assert (await get("/readyz"))[0] == 200
        with pytest.raises(BadSettings, match=r"TRIAGE_HEALTH_PORT.* cannot be used"):
            async with served_health("127.0.0.1", port, lambda: health):
                pass
