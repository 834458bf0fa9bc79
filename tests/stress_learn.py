"""Corrections on a real Kafka: how soon they are known, and learners killed at random while they flow.

    python3 dev.py stress-learn --latency 200
    python3 dev.py stress-learn --undo 20 --feedback 400
    python3 dev.py stress-learn --kills 20 --feedback 400

With `--kills`, triage and learn run as processes of their own and die by SIGKILL at random times, and every fifth
correction is taken back later. Then each other one has one lesson that counts; the scorers' last decisions are those of
one uninterrupted fold of these lessons alone; and `triage replay` makes all decisions again.
tests/test_learn_stream.py runs a short schedule.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from examples import NOON, ticket_event
from pipeline import Pipeline, Worker

from models.decide import decide
from models.learned import Learned
from models.sets import LESSONS, model_set, models_of, with_lessons
from schemas import topics
from schemas.decisions import Decision
from schemas.events import TicketEvent
from schemas.feedback import Feedback, FeedbackKind
from schemas.lessons import Lesson, activated_lessons
from streams import wiring
from streams.broker import Broker
from streams.feed import outgoing
from streams.feedback_cli import feedback_record
from streams.publish import Outgoing, Publisher

UNDONE_EVERY = 5
"""Of so many corrections one is taken back."""

PAUSE_SECONDS, PAUSE_BETWEEN_KILLS_SECONDS = 0.05, 0.5
"""From one correction to the next; while workers are killed and start again, so long that something is left to say."""

LABELS = ("billing", "access", "product_question", "shipping_returns", "network", "hr_internal")
WORDS = (
    *("Drucker", "Tarif", "Zeile", "Ordner", "Halle", "Vorgang", "Kennung", "Ablauf", "Liste", "Konto", "Stempel"),
    *("Fenster", "Taste", "Auftrag", "Bericht", "Formular", "Schublade", "Regal", "Lampe", "Signal", "Anhang"),
    *("Karte", "Muster", "Quelle", "Stapel", "Wagen", "Zeiger", "Kabel", "Rahmen", "Boden"),
)


def text_of(number: int, variant: str = "") -> str:
    """A text that is unlike those of other numbers."""
    words = random.Random(number).sample(WORDS, 12)
    return f"{' '.join(words)} und dann {' '.join(reversed(words))} geht es {variant}"


def ticket(number: int, variant: str = "") -> TicketEvent:
    name = f"T-{number}{variant}"
    return ticket_event(
        event_id=f"e-{name}", ticket_id=name, subject=f"Anliegen {number}", body=text_of(number, variant)
    )


def correction(ticket_id: str, label: str, pipeline: Pipeline) -> Outgoing:
    """The record of a correction of a category."""
    return said(FeedbackKind.CORRECTION, ticket_id, f"f-{ticket_id}-{label}", label, pipeline)


def retraction(ticket_id: str, label: str, pipeline: Pipeline) -> Outgoing:
    """The record that takes `correction` of the same ticket and label back."""
    return said(FeedbackKind.RETRACTION, ticket_id, f"undo-{ticket_id}-{label}", f"f-{ticket_id}-{label}", pipeline)


def said(kind: FeedbackKind, ticket_id: str, feedback_id: str, value: str, pipeline: Pipeline) -> Outgoing:
    """The record of what is said of a ticket's category."""
    return feedback_record(
        Feedback(
            feedback_id=feedback_id,
            kind=kind,
            ticket_id=ticket_id,
            source="webform",
            field="category",
            value=value,
            actor="tester",
            occurred_at=NOON,
        ),
        pipeline.codec,
    )


def undone_after(item: int) -> tuple[int, ...]:
    """Which correction is taken back after that of `item`, if any: that one, or one up to four before it."""
    return (item - item // UNDONE_EVERY % UNDONE_EVERY,) if item % UNDONE_EVERY == UNDONE_EVERY - 1 else ()


def audit(written: list[Lesson], taken_back: set[str], number: int) -> tuple[Learned, list[Lesson], int]:
    """One fold of the lessons that count, those, and how many are repeated. Raises AssertionError for a fault."""
    with_repetitions, once = Learned(), Learned()
    fresh = with_repetitions.learn_all(written)
    assert sorted(Counter(lesson.feedback_id for lesson in fresh).values()) == [1] * (number + len(taken_back))
    effective = [lesson for lesson in fresh if lesson.revokes is None and lesson.ticket_id not in taken_back]
    assert len(effective) == number - len(taken_back)
    once.learn_all(effective)
    assert once.weights() == with_repetitions.weights()
    return once, effective, len(written) - len(fresh)


def wait_for_last_lesson(pipeline: Pipeline, last: int) -> None:
    """Wait until the lessons up to `last` have taken effect in all partitions of the events."""

    def everywhere() -> bool:
        known: dict[int, int] = {}
        for record in pipeline.read(topics.EVENTS):
            found = activated_lessons(record.value, record.headers)
            known[record.partition] = known.get(record.partition, -1) if found is None else found
        return len(known) == topics.PARTITIONS and min(known.values()) >= last

    pipeline.wait_for(f"lesson {last} in all partitions", everywhere)


async def latency(pipeline: Pipeline, number: int) -> list[float]:
    """Seconds from each of `number` corrections until a near-identical ticket that is sent meets it.

    After a correction was acknowledged one such ticket is sent every 20 ms, until one is decided as corrected: the
    time when the first of those was sent is what counts.
    """
    codec, found = pipeline.codec, []
    options: dict[str, Any] = pipeline.settings.kafka_options()
    consumer = AIOKafkaConsumer(topics.DECISIONS.name, **options, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with Publisher(pipeline.settings.producer_options()) as publisher:
            for item in range(number):
                label = LABELS[item % len(LABELS)]
                await publisher.publish([outgoing(ticket(item), codec)])
                async for record in consumer:
                    if codec.decode(record.value, Decision).ticket_id == f"T-{item}":
                        break
                began = time.monotonic()
                await publisher.publish([correction(f"T-{item}", label, pipeline)])
                sent: dict[str, float] = {}
                met: list[float] = []
                while not met:
                    variant = f"-{len(sent)}"
                    sent[f"T-{item}{variant}"] = time.monotonic() - began
                    await publisher.publish([outgoing(ticket(item, variant), codec)])
                    fetched = await consumer.getmany(timeout_ms=20)
                    decided = [codec.decode(one.value, Decision) for records in fetched.values() for one in records]
                    right = [one.ticket_id for one in decided if one.category.label == label]
                    met = [sent[name] for name in right if name in sent]
                    await asyncio.sleep(0.02)
                found.append(min(met))
    finally:
        await consumer.stop()
    return found


async def undoing(pipeline: Pipeline, undone: int, number: int) -> list[float]:
    """Seconds from each of `undone` retractions until a ticket is decided without what it takes back.

    Of `number` corrections the newest are taken back, one after the other.
    """
    codec, found = pipeline.codec, []
    async with Publisher(pipeline.settings.producer_options()) as publisher:
        await publisher.publish([outgoing(ticket(item), codec) for item in range(number)])
        await publisher.publish(
            [correction(f"T-{item}", LABELS[item % len(LABELS)], pipeline) for item in range(number)]
        )
        await asyncio.to_thread(wait_for_last_lesson, pipeline, number - 1)
        options: dict[str, Any] = pipeline.settings.kafka_options()
        consumer = AIOKafkaConsumer(topics.DECISIONS.name, **options, auto_offset_reset="latest")
        await consumer.start()
        try:
            for last in range(number, number + undone):
                item = 2 * number - 1 - last
                began = time.monotonic()
                await publisher.publish([retraction(f"T-{item}", LABELS[item % len(LABELS)], pipeline)])
                at, known = 0, -1
                while known < last:
                    await publisher.publish([outgoing(ticket(item, f"-{at}"), codec)])
                    at += 1
                    fetched = await consumer.getmany(timeout_ms=20)
                    decided = [codec.decode(one.value, Decision) for records in fetched.values() for one in records]
                    known = max([known, *(int(one.models.get(LESSONS, -1)) for one in decided)])
                found.append(time.monotonic() - began)
        finally:
            await consumer.stop()
    return found


def killed(pipeline: Pipeline, kills: int, number: int, seed: int) -> None:
    """Corrections under kills, and the audit. Raises AssertionError where it finds a fault."""
    chance = random.Random(seed)
    roles = ("triage", "learn")
    workers: dict[str, Worker] = {role: pipeline.start_worker("--only", role) for role in roles}
    enough_killed = threading.Event()
    taken_back = {f"T-{undone}" for item in range(number) for undone in undone_after(item)}

    async def feed() -> None:
        # By one client: a new one takes half a second to send its first record, which would be most of the run.
        async with Publisher(pipeline.settings.producer_options()) as publisher:
            for item in range(number):
                await publisher.publish([outgoing(ticket(item), pipeline.codec)])
                # After its ticket is on the brokers: a correction of what is not there is a dead letter.
                await publisher.publish([correction(f"T-{item}", LABELS[item % len(LABELS)], pipeline)])
                for undone in undone_after(item):
                    await publisher.publish([retraction(f"T-{undone}", LABELS[undone % len(LABELS)], pipeline)])
                await asyncio.sleep(PAUSE_SECONDS if enough_killed.is_set() else PAUSE_BETWEEN_KILLS_SECONDS)

    feeding = threading.Thread(target=lambda: asyncio.run(feed()))
    feeding.start()
    counts: Counter[str] = Counter()
    for _ in range(kills):
        time.sleep(chance.uniform(0.5, 4.0))
        role = "learn" if chance.random() < 0.7 else "triage"
        workers[role].kill()
        counts[role] += 1
        workers[role] = pipeline.start_worker("--only", role)
    enough_killed.set()
    feeding.join()

    def lessons() -> list[Lesson]:
        return [pipeline.codec.decode(record.value, Lesson) for record in pipeline.read(topics.LESSONS)]

    pipeline.wait_for(
        "all lessons",
        lambda: len({item.feedback_id for item in lessons()}) == number + len(taken_back),
        within_seconds=120,
    )
    time.sleep(1)
    written = lessons()
    wait_for_last_lesson(pipeline, len(written) - 1)
    last = [ticket(item, "-last") for item in range(number)]
    pipeline.publish(last)
    names = {event.ticket_id for event in last}

    def decided() -> dict[str, Decision]:
        found = (pipeline.codec.decode(record.value, Decision) for record in pipeline.read(topics.DECISIONS))
        return {item.ticket_id: item for item in found if item.ticket_id in names}

    pipeline.wait_for("the last decisions", lambda: len(decided()) == number, within_seconds=120)
    for worker in workers.values():
        assert worker.stop() == 0, worker.log()[-2000:]

    once, effective, repeated = audit(written, taken_back, number)
    models = models_of(model_set(wiring.taxonomy_text(pipeline.settings), NOON))
    by_id = {event.ticket_id: event for event in last}
    for name, decision in decided().items():
        known = with_lessons(models, once, int(decision.models[LESSONS]))
        assert decide(by_id[name], decision.event, known) == decision, name
    replay = pipeline.triage("replay", "--json")
    assert replay.returncode == 0, replay.stdout + replay.stderr
    right = sum(
        item.category.label == LABELS[int(name.split("-")[1]) % len(LABELS)]
        for name, item in decided().items()
        if name.removesuffix("-last") not in taken_back
    )
    print(
        f"{number} corrections, {len(taken_back)} taken back, {len(effective)} learned, "
        f"{repeated} written again; kills: "
        f"{dict(counts)}; weights {once.digest()[:16]}; near-identical tickets decided as corrected: {right}; "
        f"replay: {replay.stdout.split('verdicts')[1][:60]}"
    )


def say_how_soon(what: str, found: list[float]) -> None:
    cuts = statistics.quantiles(found, n=100, method="inclusive")
    p50, p99, most = (f"{seconds * 1000:.0f} ms" for seconds in (cuts[49], cuts[98], max(found)))
    print(f"{len(found)} {what} after p50 {p50}, p99 {p99}, at most {most}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    one_of = parser.add_mutually_exclusive_group(required=True)
    one_of.add_argument("--kills", type=int, default=0)
    one_of.add_argument("--latency", type=int, default=0)
    one_of.add_argument("--undo", type=int, default=0)
    parser.add_argument("--feedback", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Broker() as broker,
        Pipeline(broker.bootstrap, given.folder or Path(folder)).with_topics(delete=False) as pipeline,
    ):
        if given.kills:
            killed(pipeline, given.kills, given.feedback, given.seed)
        if given.latency or given.undo:
            pipeline.start_worker("--only", "triage")
            pipeline.start_worker("--only", "learn")
        if given.latency:
            say_how_soon("corrections: known", asyncio.run(latency(pipeline, given.latency)))
        if given.undo:
            say_how_soon("retractions: decided by", asyncio.run(undoing(pipeline, given.undo, given.feedback)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
