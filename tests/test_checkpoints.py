"""What is kept of learning, where lessons are taken back: without Kafka, with lessons in memory."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from test_course import lessons, undone

from models.decide import Models
from models.learned import Learned
from models.teaching import standing
from schemas.lessons import Lesson
from sinks.snapshots import SnapshotFolder, StoredSnapshot
from streams.lessons import NEVER, Checkpoints, LessonReader, LiveLessons


class LessonsInMemory:
    """Answers as a `LessonReader` does, without a log behind it."""

    def __init__(self, taught: list[Lesson]) -> None:
        self.taught = taught

    async def has(self, number: int) -> bool:
        return number < len(self.taught)

    async def lessons(self, first: int, last: int) -> list[Lesson]:
        return self.taught[first : last + 1]


class FolderThatCounts(SnapshotFolder):
    """Knows which snapshots were asked for since it was last looked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.loaded: list[int] = []

    def load(self, stored: StoredSnapshot) -> bytes:
        self.loaded.append(stored.learned)
        return super().load(stored)

    def kept(self) -> list[int]:
        return [stored.learned for stored in self.list("lessons")]


class Learner:
    """What a worker knows, over checkpoints in `folder`."""

    def __init__(self, taught: list[Lesson], folder: FolderThatCounts, every: int) -> None:
        self.taught = taught
        self._folder = folder
        source = cast("LessonReader", LessonsInMemory(taught))
        self._live = LiveLessons(source, Checkpoints(folder, every))

    async def loads(self, last: int) -> list[int]:
        """Come to the lessons up to `last`; gives the checkpoints that were loaded for it."""
        self._folder.loaded.clear()
        await self._live.activate(last, 0)
        await self._live.prepare(0)
        return self._folder.loaded

    async def takes_back(self, number: int) -> list[int]:
        """Come to a lesson that takes back that of `number`; gives the same."""
        self.taught.append(undone(self.taught[number], len(self.taught)))
        loaded = await self.loads(len(self.taught) - 1)
        once, learned = Learned(), self._live.learned(0)
        once.learn_all(standing(self.taught))
        assert learned is not None
        assert learned.weights() == once.weights()
        return loaded


@pytest.fixture
def folder(tmp_path: Path) -> FolderThatCounts:
    return FolderThatCounts(tmp_path / "lessons")


async def test_recent_lessons_are_taken_back_one_after_the_other_from_the_checkpoint_before_them(
    models: Models, folder: FolderThatCounts
) -> None:
    learner = Learner(lessons(50, models), folder, 10)
    for last in range(9, 50, 10):
        await learner.loads(last)
    assert folder.kept() == [20, 30, 40, 50]
    for at, number in enumerate((45, 44, 43, 42, 41, 40)):
        assert await learner.takes_back(number) == [50 + at, 40], "that which holds it, and the one before it"
        assert folder.kept() == [20, 30, 40, 51 + at], "what holds it makes room, not what helps the next time"
    assert await learner.takes_back(25) == [56, 40, 30, 20]
    assert folder.kept() == [20, 57]


async def test_a_checkpoint_that_holds_what_was_taken_back_is_loaded_once(
    models: Models, folder: FolderThatCounts
) -> None:
    taught = lessons(50, models)
    keeper = Learner(list(taught), folder, 10)
    for last in range(9, 50, 10):
        await keeper.loads(last)
    reader = Learner(taught, folder, NEVER)
    assert await reader.loads(49) == [50]
    assert await reader.takes_back(35) == [50, 40, 30]
    assert await reader.takes_back(36) == [30]
    assert await reader.takes_back(15) == [30, 20]
    assert await reader.takes_back(16) == [], "none is left that helps"
    assert folder.kept() == [20, 30, 40, 50], "who only reads deletes nothing"
