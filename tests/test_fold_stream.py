"""Snapshots that learners publish and scorers begin from, and figures of the lessons, on a real Kafka."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from examples import NOON
from pipeline import Pipeline
from test_course import lessons, undone

from models.course import Course
from models.decide import Models
from models.learned import Learned
from models.live_quality import QualityWindow
from models.sets import model_set, models_of
from schemas import topics
from schemas.lessons import Lesson
from schemas.model_log import SnapshotPublished
from sinks.snapshots import SnapshotFolder, SnapshotStore, snapshot_store
from streams import wiring
from streams.agents.fold import FoldAgent
from streams.decoding import Decoder
from streams.folding import Folding
from streams.lessons import NEVER, Checkpoints, LessonReader, LiveLessons, recorded
from streams.metrics import exposition
from streams.model_log import ModelLog, RecordedModels, first_of_all
from streams.model_log import recorded as recorded_set
from streams.publish import Publisher
from streams.reading import reader

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


class Learner:
    """A learner's fold by itself, which keeps a snapshot every ten lessons."""

    def __init__(self, pipeline: Pipeline, store: SnapshotStore) -> None:
        self._pipeline = pipeline
        self._store = store

    async def takes_all(self) -> FoldAgent:
        """Begins, is handed the last record, and has taken all."""
        settings, codec = self._pipeline.settings, self._pipeline.codec
        decoder = Decoder(codec, None)
        async with LessonReader(settings, decoder) as source, Publisher(settings.producer_options()) as publisher:
            model_log = ModelLog(settings, decoder)
            decided_by = RecordedModels(model_log)

            def make() -> Folding:
                return Folding(
                    source,
                    Checkpoints(self._store, 10),
                    lambda: QualityWindow(decided_by.at, source.asked_at),
                    "quality",
                )

            agent = FoldAgent(make=make, source=source, model_log=model_log, codec=codec, publisher=publisher)
            agent.expect([0])
            await agent(await self._last(await source.end()))
            self.folding = agent._folding
            self.read_from = source._read_from
            return agent

    async def _last(self, end: int) -> list:
        async with reader(self._pipeline.settings) as source:
            async for records in source.read({(topics.LESSONS.name, 0): (end - 1, end)}):
                return list(records)
        raise AssertionError


def window(models: Models) -> QualityWindow:
    return QualityWindow(lambda _: models, lambda _: NOON)


def whole_course(models: Models, taught: list[Lesson]) -> Course:
    course = Course(Learned(), window(models))
    course.take(taught)
    return course


async def say(pipeline: Pipeline, *some: Lesson) -> None:
    async with Publisher(pipeline.settings.producer_options()) as publisher:
        await publisher.publish(recorded(lesson, pipeline.codec, asked_at=NOON) for lesson in some)


async def announced(pipeline: Pipeline) -> dict[bytes, SnapshotPublished | None]:
    """The newest word on each snapshot; None where it says that it is deleted."""
    found = {record.key: record.value for record in await pipeline._read(topics.MODEL_SNAPSHOTS)}
    return {key: value and pipeline.codec.decode(value, SnapshotPublished) for key, value in sorted(found.items())}


async def recorded_models(pipeline: Pipeline) -> Models:
    """The models that decide, once the log says so."""
    chosen = model_set(wiring.taxonomy_text(pipeline.settings), NOON)
    async with Publisher(pipeline.settings.producer_options()) as publisher:
        await publisher.publish([recorded_set(chosen, pipeline.codec), first_of_all(chosen.version, pipeline.codec)])
    return models_of(chosen)


async def test_a_learner_publishes_snapshots_and_goes_on_from_them_to_the_identical_model(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    models = await recorded_models(pipeline)
    taught = lessons(47, models)
    store = snapshot_store(f"memory://{tmp_path}", "app")
    learner = Learner(pipeline, store)
    for part in (taught[:12], taught[12:27], taught[27:41], taught[41:44]):
        await say(pipeline, *part)
        agent = await learner.takes_all()

    # Kept after 12, 27 and 41 lessons: each has its word on the topic, the same after it was said again at each start.
    assert [stored.learned for stored in store.list("lessons")] == [12, 27, 41]
    words = await announced(pipeline)
    assert [word and word.lesson for word in words.values()] == [11, 26, 40]
    newest = store.list("lessons")[-1]
    word = words[f"lessons@{newest.version}".encode()]
    assert word is not None
    assert (word.size_bytes, word.store, word.feedback_id) == (len(store.load(newest)), store.where, "f-40")

    whole = whole_course(models, taught[:44])
    assert learner.read_from == 40, "only what comes after the snapshot is read"
    assert learner.folding is not None
    assert learner.folding._course.learned.digest() == whole.learned.digest()
    assert learner.folding.tally.to_json() == whole.tally.to_json()
    figures = {
        f'triage_quality_accuracy{{head="{one.head}",dimension="all",value="all"}} {one.quality.accuracy!r}'
        for one in whole.tally.figures()
        if one.dimension == "all"
    }
    assert len(figures) == 2
    assert figures <= set(exposition(agent.metrics()).splitlines())

    # What is taken back counts no more: it is gone on from the snapshot before it.
    taught[44:44] = [undone(taught[20], 90)]
    await say(pipeline, *taught[44:])
    await learner.takes_all()
    after = whole_course(models, taught)
    assert learner.folding._course.learned.digest() == after.learned.digest()
    assert learner.folding.tally.to_json() == after.tally.to_json()
    assert learner.read_from == 11

    said_later = [replace(lesson, feedback_id=f"later-{lesson.feedback_id}") for lesson in taught[:12]]
    await say(pipeline, *said_later)
    await learner.takes_all()
    assert [stored.learned for stored in store.list("lessons")] == [12, 48, 60]
    gone = [key for key, word in (await announced(pipeline)).items() if word is None]
    assert len(gone) == 2, "what is deleted has a record without a value: those that held what was taken back"
    shown = pipeline.triage("tail", "models.snapshots.v1", "--no-follow", "--last", "20").stdout
    assert f"{gone[0].decode()} is deleted" in shown
    assert "lessons up to 26 in memory://" in shown


async def test_a_scorer_elsewhere_begins_from_the_newest_good_snapshot(
    pipeline: Pipeline, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = await recorded_models(pipeline)
    taught = lessons(30, models)
    store = snapshot_store(f"memory://{tmp_path}", "app")
    for part in (taught[:12], taught[12:27], taught[27:]):
        await say(pipeline, *part)
        await Learner(pipeline, store).takes_all()

    async def scorer_at(last: int) -> tuple[str, int]:
        """What a worker on a machine of its own knows after lesson `last`, and the first lesson that it read."""
        folder = SnapshotFolder(tmp_path / f"elsewhere-{time.monotonic_ns()}")
        async with LessonReader(pipeline.settings, Decoder(pipeline.codec, None)) as source:
            live = LiveLessons(source, Checkpoints(folder, NEVER, others=[store]))
            await live.activate(last, 0)
            await live.prepare(0)
            learned = live.learned(0)
            assert learned is not None
            return learned.digest(), source._read_from

    async def swapped_at(last: int) -> str:
        """What a worker knows that runs, and is far behind."""
        with monkeypatch.context() as patched:
            patched.setattr("streams.lessons.CHECKPOINT_EVERY", 10)
            async with LessonReader(pipeline.settings, Decoder(pipeline.codec, None)) as source:
                live = LiveLessons(source, Checkpoints(SnapshotFolder(tmp_path / "behind"), NEVER, others=[store]))
                for number in (5, last):
                    await live.activate(number, 0)
                    caplog.clear()
                    await live.prepare(0)
                assert "lessons up to 26 are those of" in caplog.text
                learned = live.learned(0)
                assert learned is not None
                return learned.digest()

    caplog.set_level("INFO")
    whole = whole_course(models, taught).learned.digest()
    assert await scorer_at(29) == (whole, 26)
    assert (await scorer_at(20))[1] == 11, "a snapshot of later lessons is of no use"
    assert await swapped_at(29) == whole
    files = fsspec.filesystem("memory")
    newest = store.list("lessons")[-1]
    files.pipe_file(f"{tmp_path}/app/{newest.file_name}", b"damaged")
    assert await scorer_at(29) == (whole, 11)
    assert f"{newest.file_name} is refused" in caplog.text
    store.save("lessons", 28, store.load(store.list("lessons")[0]))
    assert await scorer_at(29) == (whole, 11)
    assert "is of other lessons than the log's" in caplog.text
    files.rm(f"{tmp_path}/app", recursive=True)
    assert await scorer_at(29) == (whole, 0), "without any, all lessons are learned"


async def test_few_lessons_stay_in_memory_and_older_ones_are_read_again(
    pipeline: Pipeline, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.lessons.MOST_KEPT", 5)
    taught = lessons(20, models)
    await say(pipeline, *taught)
    async with LessonReader(pipeline.settings, Decoder(pipeline.codec, None)) as source:
        assert await source.lessons(0, 19) == taught
        assert await source.lessons(18, 19) == taught[18:]
        assert len(source._read) == 5
        assert await source.lessons(3, 6) == taught[3:7]
        assert await source.lessons(0, 19) == taught
        assert source.asked_at(taught[0]) == NOON


async def test_a_store_that_is_away_stops_nobody(
    pipeline: Pipeline, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = SnapshotFolder(tmp_path / "file" / "below")
    models = models_of(model_set(wiring.taxonomy_text(pipeline.settings), NOON))
    taught = lessons(12, models)
    await say(pipeline, *taught)
    learner = Learner(pipeline, store)
    await learner.takes_all()
    assert learner.folding is not None
    assert learner.folding._course.learned.digest() == whole_course(models, taught).learned.digest()
    assert "what was learned is not kept" in caplog.text
    assert not await pipeline._read(topics.MODEL_SNAPSHOTS)
