"""A watch that begins with the store's counts knows what one knows that has read the whole log."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from examples import position
from pipeline import Pipeline

from models.watching import SpikeWatch
from schemas import topics
from schemas.alerts import Alert, AlertStage
from schemas.counts import BucketCounts, CountedTicket
from sinks import counts
from sinks.archive import Archive
from sinks.rows import counts_row
from sinks.store import Store
from streams import wiring
from streams.publish import Outgoing

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOP, MINUTE = timedelta(seconds=10), timedelta(minutes=1)


def log_of_counts(minutes: int, outages: list[tuple[int, int]], extra: int = 6) -> list[BucketCounts]:
    """Four tickets a minute, 36 more in an outage (from, to, in minutes); each minute all partitions are marked."""
    random = np.random.default_rng(4)
    log: list[BucketCounts] = []
    for hop in range(minutes * 6):
        at, minute = START + hop * HOP, hop // 6
        found = int(random.poisson(4 / 6)) + (extra if any(first <= minute < last for first, last in outages) else 0)
        if found:
            ticket = CountedTicket(
                ticket_id=f"T-{hop}",
                occurred_at=at,
                requester=f"r-{hop}",
                subject="VPN drops",
                series=("all=tickets", "category=network"),
            )
            series = {"all=tickets": found, "category=network": found}
            log.append(BucketCounts(partition=hop % 3, bucket=at, through=len(log), counts=series, tickets=(ticket,)))
        if hop % 6 == 5:
            log += [
                BucketCounts(partition=number, bucket=at, through=-1, counts={}) for number in range(topics.PARTITIONS)
            ]
    return log


def archived(store: Store, log: list[BucketCounts]) -> None:
    rows = [counts_row(one, position(at, topic=topics.COUNTS.name)) for at, one in enumerate(log)]
    Archive(store).write(rows, now=datetime.now(UTC).replace(microsecond=0))


def after(log: list[BucketCounts], minute: int) -> int:
    """The offset of the first record of a minute."""
    return next(at for at, one in enumerate(log) if one.bucket >= START + minute * MINUTE)


def test_the_stores_counts_are_those_of_the_log_in_its_order_but_for_tickets(store: Store) -> None:
    log = log_of_counts(30, [(10, 12)])
    assert counts.newest_offset(store) is None
    assert counts.newest_bucket(store, 100) is None
    assert list(counts.counts_before(store, 100, START)) == []
    archived(store, log)
    assert counts.newest_offset(store) == len(log) - 1
    wanted = [(at, replace(one, tickets=())) for at, one in enumerate(log)]
    assert list(counts.counts_before(store, len(log), START)) == wanted
    first, before = after(log, 10), after(log, 20)
    assert counts.newest_bucket(store, before) == max(one.bucket for one in log[:before])
    assert list(counts.counts_before(store, before, log[first].bucket)) == [
        (at, one) for at, one in wanted[:before] if one.bucket >= log[first].bucket
    ]


@pytest.mark.kafka
def test_a_watch_that_is_warmed_tells_what_one_tells_that_has_read_all_and_nothing_of_before(
    pipeline: Pipeline,
) -> None:
    log = log_of_counts(220, [(70, 78), (180, 195)])
    gone, cut = after(log, 60), after(log, 150)

    def publish(part: list[BucketCounts]) -> None:
        pipeline.publish(
            [Outgoing(topics.COUNTS.name, one.key, pipeline.codec.encode(one), partition=0) for one in part]
        )

    assert pipeline.triage("migrate").returncode == 0
    publish(log[:cut])
    asyncio.run(drop_before(pipeline, gone))
    nothing_stored = pipeline.triage("watch", "warm-start")
    assert nothing_stored.returncode == 0, nothing_stored.stderr
    assert "from 0 records of the store" in nothing_stored.stdout
    with wiring.open_store(pipeline.settings) as store:
        archived(store, log[:cut])
    again = pipeline.triage("watch", "warm-start")
    assert again.returncode == 2
    assert "--anew" in again.stderr
    warmed = pipeline.triage("watch", "warm-start", "--anew")
    assert warmed.returncode == 0, warmed.stderr
    assert f"learned 2 series from {gone} records of the store" in warmed.stdout
    assert f"{cut - gone} of the log" in warmed.stdout

    owners = {name: label.team for name, label in wiring.load_taxonomy(pipeline.settings).categories.items()}
    fold = SpikeWatch(owners, topics.PARTITIONS)
    before, expected = list[Alert](), list[Alert]()
    for offset, record in enumerate(log):
        told = replace(record, tickets=()) if offset < gone else record
        (before if offset < cut else expected).extend(fold.take(offset, told))
    assert before[-1].stage is AlertStage.RESOLVED, "an incident began and ended before"
    assert {word.stage for word in expected} >= {AlertStage.OPENED, AlertStage.RESOLVED}

    worker = pipeline.start_worker("--only", "watch")
    publish(log[cut:])
    pipeline.wait_for(
        "the words on the outage", lambda: len(pipeline.read(topics.ALERTS)) >= len(expected), within_seconds=180
    )
    assert worker.stop() == 0
    words = [pipeline.codec.decode(record.value, Alert) for record in pipeline.read(topics.ALERTS)]
    assert words[: len(expected)] == expected


async def drop_before(pipeline: Pipeline, offset: int) -> None:
    """Have Kafka drop the log of counts before an offset, as it does with what is too old."""
    admin = AIOKafkaAdminClient(**pipeline.settings.kafka_options())
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topics.COUNTS.name, 0): RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()
