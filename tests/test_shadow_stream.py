"""A challenger in the shadow, on a real Kafka: what it says is known, and has no effect."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from examples import NOON
from pipeline import Pipeline, scraped
from stress_learn import correction, wait_for_last_lesson
from test_comparison import TEXT, WORSE_TEXT, lessons
from test_learn_stream import decisions, ticket

from models.comparison import Comparison, Verdict, compare
from models.decide import Models
from models.sets import model_set, models_of
from schemas import topics
from schemas.lessons import Lesson
from schemas.model_log import ModelsActivated, ModelSet, Said, ShadowCompared
from sinks.snapshots import snapshot_store
from streams.agents.shadow import ShadowAgent
from streams.decoding import Decoder
from streams.folding import Folding
from streams.lessons import Checkpoints, LessonReader, recorded
from streams.metrics import exposition
from streams.model_log import ModelLog, first_of_all, noted
from streams.model_log import recorded as recorded_set
from streams.promotion import promote
from streams.publish import Publisher

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

LACKING_TEXT = TEXT.replace("access", "entrance").replace("hardware", "equipment")
"""Without two categories that people teach: each of their lessons costs six nats."""


def written(pipeline: Pipeline, *kinds: topics.Topic) -> list[tuple[Any, ...]]:
    """What stands on topics, byte for byte, but for the time that it took."""
    return [
        (record.topic, record.partition, record.offset, record.key, record.value)
        for topic in kinds
        for record in pipeline.read(topic)
    ]


def told(pipeline: Pipeline) -> dict[str, ShadowCompared]:
    words = [pipeline.codec.decode(record.value, ShadowCompared) for record in pipeline.read(topics.MODEL_SHADOW)]
    return {word.head: word for word in words}


def course_of(pipeline: Pipeline, challenger: Path | None) -> list[tuple[Any, ...]]:
    """Tickets, three corrections and a ticket; gives what was written, and checks the challenger if one is there."""
    health = {"TRIAGE_HEALTH_PORT": "0"}
    worker = pipeline.start_worker("--only", "triage", "--only", "learn", **health)
    shadow = None
    if challenger is not None:
        chosen = {"TRIAGE_CHALLENGER": str(challenger), "TRIAGE_SNAPSHOT_STORE": str(challenger.parent / "store")}
        shadow = pipeline.start_worker("--only", "shadow", **health, **chosen)
    for number, label in enumerate(("billing", "access", "hardware")):
        events = [ticket(f"{label}-{at}") for at in range(4)]
        pipeline.publish(events)
        names = {event.ticket_id for event in events}
        pipeline.wait_for("decisions", lambda names=names: names <= decisions(pipeline).keys())
        pipeline.publish([correction(f"{label}-1", label, pipeline)])
        wait_for_last_lesson(pipeline, number)
        if shadow is not None and number == 1:
            shadow.kill()
            shadow = pipeline.start_worker("--only", "shadow", **health, **chosen)
    last = ticket("last")
    pipeline.publish([last])
    pipeline.wait_for("the last decision", lambda: last.ticket_id in decisions(pipeline))
    if shadow is not None:
        taught = [pipeline.codec.decode(record.value, Lesson) for record in pipeline.read(topics.LESSONS)]
        pipeline.wait_for("all lessons in the shadow", lambda: told(pipeline).get("category", NOTHING).lessons == 3)
        word = told(pipeline)["category"]
        other = models_of(model_set(WORSE_TEXT, NOON))
        found = compare(taught, models_of(model_set(TEXT, NOON)), other)["category"]
        assert (word.difference, word.verdict) == (found.difference, Verdict.UNDECIDED)
        assert 'triage_shadow_lessons{challenger="' + word.challenger in scraped(shadow)
        shown = pipeline.triage("models", "show", word.challenger)
        assert shown.returncode == 0, shown.stderr
        assert "in the shadow" in shown.stdout
        assert "live in no partition" in shown.stdout
        pipeline.wait_for(
            "figures of the lessons",
            lambda: 'triage_quality_lessons{head="category",dimension="all",value="all"} 3.0' in scraped(worker),
        )
        assert 'triage_quality_label_delay_seconds{head="category"' in scraped(worker)
        tailed = pipeline.triage("tail", "models.shadow.v1", "--no-follow").stdout
        assert "nats after 3 lessons, not enough evidence" in tailed
        assert shadow.stop() == 0
    assert worker.stop() == 0
    queues = [topic for topic in pipeline.topics if topic.name.startswith("assignments.")]
    return written(pipeline, topics.EVENTS, topics.DECISIONS, topics.LESSONS, *queues)


NOTHING = ShadowCompared(
    **dict.fromkeys(("live", "challenger", "head", "verdict"), ""),
    **dict.fromkeys(("through", "lessons"), 0),
    **dict.fromkeys(("live_loss", "challenger_loss", "live_accuracy", "challenger_accuracy", "difference"), 0.0),
)


def test_decisions_are_the_same_byte_for_byte_with_a_challenger_in_the_shadow(kafka: str, tmp_path: Path) -> None:
    challenger = tmp_path / "challenger.toml"
    challenger.write_text(WORSE_TEXT, encoding="utf-8")
    with Pipeline(kafka, tmp_path / "without").with_topics() as pipeline:
        without = course_of(pipeline, None)
    with Pipeline(kafka, tmp_path / "with").with_topics() as pipeline:
        beside = course_of(pipeline, challenger)
    assert len([record for record in beside if record[0] == topics.DECISIONS.name]) == 13
    assert beside == without


class Shadow:
    """The agent by itself, with a snapshot every ten lessons."""

    def __init__(self, pipeline: Pipeline, challenger: ModelSet, folder: Path) -> None:
        self._pipeline = pipeline
        self._challenger = challenger
        self._store = snapshot_store(f"memory://{folder}")

    async def comes_to(self, last: int) -> ShadowAgent:
        settings, codec = self._pipeline.settings, self._pipeline.codec
        decoder = Decoder(codec, None)
        async with LessonReader(settings, decoder) as source, Publisher(settings.producer_options()) as publisher:
            model_log = ModelLog(settings, decoder)
            await model_log.read()
            other = models_of(self._challenger)

            def make(version: str, live: Models) -> Folding:
                checkpoints = Checkpoints(self._store, 10, head="shadow")
                return Folding(source, checkpoints, lambda: Comparison(live, other), f"beside {version}")

            agent = ShadowAgent(
                challenger=self._challenger,
                make=make,
                source=source,
                model_log=model_log,
                codec=codec,
                publisher=publisher,
                propose=True,
            )
            await agent.open()
            agent.expect([0])
            await agent._take(last)
            self.read_from = source._read_from
            return agent

    async def told(self) -> Iterable[ShadowCompared]:
        records = await self._pipeline._read(topics.MODEL_SHADOW)
        return [self._pipeline.codec.decode(record.value, ShadowCompared) for record in records]


async def test_a_better_challenger_is_proposed_and_compared_no_more_once_a_person_has_promoted_it(
    pipeline: Pipeline, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    lacking, good = model_set(LACKING_TEXT, NOON), model_set(TEXT, NOON)
    taught = lessons(80)
    async with Publisher(pipeline.settings.producer_options()) as publisher:
        await publisher.publish(
            [
                recorded_set(lacking, pipeline.codec),
                first_of_all(lacking.version, pipeline.codec),
                *(recorded(lesson, pipeline.codec) for lesson in taught),
            ]
        )
    shadow = Shadow(pipeline, good, tmp_path)
    await shadow.comes_to(39)
    (word,) = await shadow.told()
    assert (word.lessons, word.radius, word.proposed) == (40, None, False)

    agent = await shadow.comes_to(79)
    assert shadow.read_from == 39, "it goes on from its snapshot"
    *_, word = await shadow.told()
    found = compare(taught, models_of(lacking), models_of(good))["category"]
    assert (word.difference, word.radius, word.lessons) == (found.difference, found.radius, 80)
    assert (word.verdict, word.proposed) == (Verdict.BETTER, True)
    assert f"triage models promote {good.version}" in caplog.text
    line = f'triage_shadow_verdict{{challenger="{good.version}",live="{lacking.version}",head="category"}} 1.0'
    assert line in exposition(agent.metrics()).splitlines()

    # A proposal changes nothing by itself; a promotion by a person does.
    assert not await pipeline._read(topics.EVENTS)
    partitions = await promote(pipeline.settings, good.version, Said(by="Ada", reason="fewer errors"))
    assert partitions == topics.PARTITIONS
    async with Publisher(pipeline.settings.producer_options()) as publisher:
        for record in await pipeline._read(topics.EVENTS):  # as workers do that come to it
            await publisher.publish(
                [
                    noted(
                        ModelsActivated(version=good.version, partition=record.partition, offset=record.offset),
                        pipeline.codec,
                    )
                ]
            )
    agent = await shadow.comes_to(79)
    assert agent.metrics()[0].samples == []
    assert f"{good.version} is live" in caplog.text
