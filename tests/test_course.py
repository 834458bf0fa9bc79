"""The lessons as a course: each is answered before it is learned, and the figures are those of `models.quality`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

import pytest
from examples import NOON, position
from hypothesis import given, settings
from hypothesis import strategies as st

from models.course import Course
from models.decide import Models, chances
from models.learned import Learned
from models.live_quality import MOST_VALUES, OTHERS, Figures, QualityWindow
from models.quality import Outcome, quality
from models.teaching import standing
from schemas import topics
from schemas.decisions import LogPosition
from schemas.events import EventKind
from schemas.lessons import Lesson, asked_at, asked_at_header
from streams.demo.generator import generate_labelled

HOUR = timedelta(hours=1)


def lessons(number: int, models: Models) -> list[Lesson]:
    """Category lessons on generated tickets of two tenants, and one of the priority after each fourth."""
    created = (
        (event, topic)
        for event, topic in generate_labelled(seed=5, start=NOON)
        if event.kind is EventKind.CREATED and topic in models.taxonomy.categories
    )
    return [
        Lesson(
            feedback_id=f"f-{at}",
            feedback=position(at, topic=topics.FEEDBACK.name),
            head="priority" if at % 5 == 4 else "category",
            label="high" if at % 5 == 4 else topic,
            tenant="acme" if at % 3 else "default",
            source=event.source,
            ticket_id=event.ticket_id,
            event=position(at),
            subject=event.subject,
            body=event.body,
            occurred_at=NOON + at * HOUR,
        )
        for at, (event, topic) in enumerate(islice(created, number))
    ]


def undone(lesson: Lesson, at: int) -> Lesson:
    return replace(
        lesson,
        feedback_id=f"u-{at}",
        feedback=position(at, topic=topics.FEEDBACK.name),
        head="",
        label="",
        subject="",
        body="",
        revokes=lesson.feedback_id,
    )


def window(models: Models, size: int = 1_000) -> QualityWindow:
    def asked(lesson: Lesson) -> datetime | None:
        return None if lesson.feedback.offset == 0 else NOON

    def decided_by(place: LogPosition) -> Models | None:
        return None if place.offset == 2 else models

    return QualityWindow(decided_by, asked, size)


def one(found: list[Figures], head: str, dimension: str, value: str) -> Figures:
    (figures,) = [each for each in found if (each.head, each.dimension, each.value) == (head, dimension, value)]
    return figures


def test_the_figures_are_those_of_models_quality_on_the_same_lessons(models: Models) -> None:
    course = lessons(40, models)
    counted = window(models)
    Course(Learned(), counted).take(course)

    learned, wanted = Learned(), list[tuple[Lesson, Outcome]]()
    for lesson in course:
        said = chances(lesson.head, lesson.text, models, learned)
        best = max(said, key=said.__getitem__)
        if lesson.event.offset != 2:  # of models that this release cannot make
            wanted.append((lesson, Outcome(lesson.label, best, said[best])))
        learned.learn(lesson)
    of_category = [outcome for lesson, outcome in wanted if lesson.head == "category"]
    found = counted.figures()
    assert counted.outcomes("category") == of_category
    assert one(found, "category", "all", "all").quality == quality(of_category)
    of_acme = [outcome for lesson, outcome in wanted if (lesson.head, lesson.tenant) == ("category", "acme")]
    assert one(found, "category", "tenant", "acme").quality == quality(of_acme)
    for dimension in ("team", "tenant", "language"):
        parts = [each for each in found if (each.head, each.dimension) == ("priority", dimension)]
        assert sum(each.quality.tickets for each in parts) == 8
    hours = sorted(
        lesson.feedback.offset for lesson, _ in wanted if lesson.head == "category" and lesson.feedback.offset
    )
    assert one(found, "category", "all", "all").delay_median == hours[len(hours) // 2] * HOUR


def test_only_the_newest_lessons_of_each_head_count_and_rare_values_are_one_together(models: Models) -> None:
    course = [replace(lesson, tenant=f"t-{at}") for at, lesson in enumerate(lessons(60, models))]
    counted = window(models, size=30)
    Course(Learned(), counted).take(course)
    found = counted.figures()
    assert one(found, "category", "all", "all").quality.tickets == 30
    assert one(found, "priority", "all", "all").quality.tickets == 12
    values = [each.value for each in found if (each.head, each.dimension) == ("category", "tenant")]
    assert len(values) == MOST_VALUES + 1
    assert one(found, "category", "tenant", OTHERS).quality.tickets == 30 - MOST_VALUES


def test_nothing_is_said_of_no_lessons(models: Models) -> None:
    assert window(models).figures() == []


@settings(max_examples=12, deadline=None)
@given(cut=st.integers(0, 24), repeated=st.integers(0, 5))
def test_a_course_that_goes_on_from_what_was_kept_counts_as_one_that_was_not_interrupted(
    models: Models, cut: int, repeated: int
) -> None:
    course = lessons(24, models)
    course = [*course[:20], undone(course[19], 90), *course[20:]]  # taken back at once, within each part or across
    whole = Course(Learned(), window(models))
    whole.take(course)

    first = Course(Learned(), window(models))
    first.take(course[:cut])
    kept = json.loads(json.dumps(first.tally.to_json()))
    tally = window(models)
    tally.restore(kept)
    learned, _ = Learned.from_bytes(first.learned.to_bytes())
    second = Course(learned, tally)
    rest = course[max(0, cut - repeated) :]  # what is delivered again counts once
    if second.takes_back(rest):
        with pytest.raises(ValueError, match="count anew"):
            second.take(rest)
        second = Course(Learned(), window(models))
        rest = course
    second.take(rest)
    assert second.learned.digest() == whole.learned.digest()
    assert second.tally.to_json() == whole.tally.to_json()


def test_what_was_taken_back_neither_teaches_nor_counts(models: Models) -> None:
    course = lessons(12, models)
    taken = Course(Learned(), window(models))
    taken.take([*course, undone(course[4], 90)])
    other = Course(Learned(), window(models))
    other.take(standing([*course, undone(course[4], 90)]))
    assert taken.learned.weights() == other.learned.weights()
    assert taken.tally.to_json() == other.tally.to_json()


def test_the_time_of_a_ticket_is_read_back_from_its_lessons_record() -> None:
    assert asked_at([("x", b"1"), asked_at_header(NOON)]) == NOON
    assert asked_at([asked_at_header(datetime.fromisoformat("1960-01-01T00:00:00+00:00"))]) == datetime.fromisoformat(
        "1970-01-01T00:00:00+00:00"
    )
    for text in (b"", b"x", b"9" * 18, b"9" * 30, None):
        assert asked_at([("triage_asked_at", text)]) is None
