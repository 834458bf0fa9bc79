"""Two sets of models on the same lessons: what the comparison says, and when it says nothing."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from examples import NOON, position
from pipeline import Pipeline

from models.comparison import LEAST_LESSONS, Verdict, _Sums, _take, compare
from models.decide import Models
from models.sets import model_set, models_of
from schemas import topics
from schemas.events import EventKind
from schemas.lessons import Lesson
from streams import wiring
from streams.demo.generator import generate_labelled
from streams.lessons import recorded
from streams.publish import Publisher
from streams.settings import load_settings

TEXT = wiring.taxonomy_text(load_settings())
WORSE_TEXT = TEXT.replace("drucker", "apfelbaum").replace("rechnung", "birnbaum").replace("invoice", "pear")


def lessons(number: int) -> list[Lesson]:
    categories = models_of(model_set(TEXT, NOON)).taxonomy.categories
    found = (
        (event, topic)
        for event, topic in generate_labelled(seed=9, start=NOON)
        if event.kind is EventKind.CREATED and topic in categories
    )
    return [
        Lesson(
            feedback_id=f"f-{at}",
            feedback=position(at, topic=topics.FEEDBACK.name),
            head="category",
            label=topic,
            tenant=event.tenant,
            source=event.source,
            ticket_id=event.ticket_id,
            event=position(at),
            subject=event.subject,
            body=event.body,
            occurred_at=NOON,
        )
        for at, (event, topic) in enumerate(islice(found, number))
    ]


def test_a_set_is_no_better_than_itself_and_no_number_of_lessons_will_show_it(models: Models) -> None:
    found = compare(lessons(60), models, models)["category"]
    assert (found.lessons, found.difference, found.verdict) == (60, 0.0, Verdict.UNDECIDED)
    assert found.more_needed is None


def test_few_lessons_are_no_evidence_and_it_says_how_many_more(models: Models) -> None:
    other = models_of(model_set(WORSE_TEXT, NOON))
    found = compare(lessons(20), models, other)["category"]
    assert (found.verdict, found.more_needed, found.radius) == (Verdict.UNDECIDED, LEAST_LESSONS - 20, None)


def test_who_is_compared_with_whom_turns_the_sign_and_nothing_else(models: Models) -> None:
    other, course = models_of(model_set(WORSE_TEXT, NOON)), lessons(60)
    one, two = compare(course, models, other)["category"], compare(course, other, models)["category"]
    assert one.difference == pytest.approx(-two.difference)
    assert one.difference < 0, "the challenger has lost its words"
    assert (one.live_loss, one.radius) == pytest.approx((two.challenger_loss, two.radius))


def test_lessons_that_are_written_twice_count_once_and_a_label_that_is_not_there_costs_most(models: Models) -> None:
    course = lessons(5)
    assert compare([*course, *course], models, models) == compare(course, models, models)
    undone = replace(course[4], feedback_id="u", feedback=position(9, topic=topics.FEEDBACK.name), revokes="f-4")
    assert compare([*course, undone], models, models) == compare(course[:4], models, models)
    unknown = [replace(course[0], label="of another taxonomy")]
    assert compare(unknown, models, models)["category"].live_loss == pytest.approx(5.99, abs=0.01)


def test_moods_are_compared_by_what_the_sentiment_head_says(models: Models) -> None:
    course = [
        replace(lesson, head="sentiment", label="negative", body="Danke, alles wunderbar!") for lesson in lessons(3)
    ]
    found = compare(course, models, models)["sentiment"]
    assert found.lessons == 3
    assert found.live_loss < 5, "no label that the head does not have"


def test_a_difference_that_is_there_is_found() -> None:
    chance = random.Random(3)

    def verdict(shift: float) -> Verdict:
        sums = _Sums()
        for _ in range(600):
            _take(sums, "a", {"a": 0.5}, {"a": min(1.0, max(0.0, chance.gauss(0.5 + shift, 0.15)))})
        return sums.compared().verdict

    assert verdict(0.2) is Verdict.BETTER
    assert verdict(-0.2) is Verdict.WORSE


def test_equal_losses_are_rarely_told_apart_after_any_number_of_lessons() -> None:
    chance = random.Random(4)

    def is_fooled() -> bool:
        sums = _Sums()
        for _ in range(1_000):
            better, worse = {"a": 0.8}, {"a": 0.4}
            pair = (better, worse) if chance.random() < 0.5 else (worse, better)
            _take(sums, "a", *pair)
            if sums.compared().verdict is not Verdict.UNDECIDED:
                return True
        return False

    assert sum(is_fooled() for _ in range(100)) <= 10


@pytest.mark.kafka
@pytest.mark.slow
async def test_the_command_compares_on_what_the_log_holds(pipeline: Pipeline, tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(TEXT, encoding="utf-8")
    two.write_text(WORSE_TEXT, encoding="utf-8")
    arguments = ("models", "compare", str(two), "--against", str(one))
    assert "nobody has taught anything yet" in pipeline.triage(*arguments).stdout
    assert "no models are live yet" in pipeline.triage("models", "compare", str(two)).stderr
    async with Publisher(pipeline.settings.producer_options()) as publisher:
        await publisher.publish(recorded(lesson, pipeline.codec) for lesson in lessons(20))
    done = pipeline.triage(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["category"]["lessons"] == 20
    assert "30 more" in " ".join(pipeline.triage(*arguments).stdout.split())
