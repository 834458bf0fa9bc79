"""Rises of the errors that lessons show: when on-call is told, what is forgotten, and that all can be made again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from random import Random

import numpy as np
import pytest
from conftest import shared
from examples import NOON, changing_lessons, position, ticket_event
from hypothesis import given, settings
from hypothesis import strategies as st

from models.drift import LONGEST, MOST_ANSWERS, USUAL_AFTER, DriftBook, RecordedError, RisingError, kept, words
from models.learned import Learned
from models.taxonomy import Taxonomy
from models.teaching import Owners, Taught
from schemas.alerts import Alert, AlertKind, AlertStage
from schemas.lessons import Lesson
from sinks.notify.notices import facts, headline

OPENED, UPDATED, RESOLVED = AlertStage.OPENED, AlertStage.UPDATED, AlertStage.RESOLVED


def answers(seed: int, *parts: tuple[int, float]) -> list[bool]:
    """Random answers: of each part so many, and the share of them that is wrong."""
    random = np.random.default_rng(seed)
    return [bool(random.random() < share) for many, share in parts for _ in range(many)]


def noted(book: DriftBook, lessons: Iterable[Lesson], wrong: Iterable[bool]) -> list[Alert]:
    """What is told while `lessons` are noted."""
    told: list[Alert] = []
    for lesson, answer in zip(lessons, wrong, strict=True):
        before = book.open
        book.note(lesson, wrong=answer)
        told += words(before, book.open, lesson)
    return told


def any_lessons(many: int) -> list[Lesson]:
    return changing_lessons((many, 0.0))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), cut=st.integers(0, 600))
def test_an_error_that_is_written_down_sounds_as_one_that_is_not(seed: int, cut: int) -> None:
    given_answers = answers(seed, (300, 0.2), (300, 0.7))
    plain, recorded, cut_here = RisingError(), RecordedError(), RecordedError()
    for at, wrong in enumerate(given_answers):
        if at == cut:
            cut_here = RecordedError(recorded.answers)
        risen, rise = plain.update(wrong=wrong), recorded.update(wrong=wrong)
        assert risen == (0.0 if rise is None else rise.by)
        if at >= cut:
            assert cut_here.update(wrong=wrong) == rise
    assert plain.alarms >= 1


def test_the_alarm_says_how_often_answers_were_wrong_before_and_since() -> None:
    recorded = RecordedError()
    rises = [recorded.update(wrong=wrong) for wrong in [*[False, True, False, False] * 40, *[True] * 64]]
    (rise,) = [found for found in rises if found is not None]
    assert rise.before == pytest.approx(0.25, abs=0.05)
    assert rise.after >= 0.5
    assert rise.answers < 160


def test_what_is_written_down_of_one_error_has_an_end() -> None:
    recorded, longest = RecordedError(), 0
    for wrong in answers(1, (3 * MOST_ANSWERS, 0.3)):
        recorded.update(wrong=wrong)
        longest = max(longest, len(recorded.answers))
    assert longest == MOST_ANSWERS


def test_the_larger_the_rise_the_more_is_forgotten_but_never_all() -> None:
    assert kept(0) == 1
    assert kept(0.02) == pytest.approx(0.72, abs=0.01)
    assert kept(0.2) == pytest.approx(0.028, abs=0.001)
    assert kept(1) == 0.02


def test_a_rise_is_told_once_and_its_end_when_answers_are_right_again() -> None:
    wrong = answers(2, (400, 0.1), (150, 0.8), (150, 0.1))
    told = noted(DriftBook(), any_lessons(len(wrong)), wrong)
    of_the_head = [word for word in told if word.team == ""]
    assert [word.stage for word in of_the_head if word.stage is not UPDATED] == [OPENED, RESOLVED]
    begun, ended = of_the_head[0], of_the_head[-1]
    assert begun.subject == "errors of category"
    assert begun.incident_id == ended.incident_id
    assert NOON + timedelta(minutes=400) < begun.at < NOON + timedelta(minutes=480)
    assert begun.size.observed > 3 * begun.size.expected
    assert begun.size.score > 3
    assert begun.kind is AlertKind.DRIFT
    assert not begun.page
    assert len(begun.cause.examples) == 3
    assert ended.at > NOON + timedelta(minutes=550)
    assert ended.size.observed > begun.size.observed
    opened = Counter(word.team for word in told if word.stage is OPENED)
    assert set(opened) == {"", "hardware-support", "network-ops", "billing"}, "each team is watched by itself"
    of_a_team = next(word for word in told if word.team == "billing")
    assert headline(of_a_team).startswith("Tickets have changed: errors of category for billing, ")
    assert "nobody is woken for it" in dict(facts(of_a_team))["Page"]


def test_what_stays_bad_becomes_usual_and_what_nobody_speaks_of_any_more_ends() -> None:
    wrong = answers(2, (200, 0.1), (500, 0.8))
    (begun, ended) = [word for word in noted(DriftBook(), any_lessons(700), wrong) if word.team == ""]
    assert (begun.stage, ended.stage) == (OPENED, RESOLVED)
    assert ended.at - begun.at == timedelta(minutes=USUAL_AFTER)
    book, lessons = DriftBook(), any_lessons(301)
    noted(book, lessons[:300], wrong[:300])
    assert book.open
    later = replace(lessons[300], head="priority", occurred_at=lessons[299].occurred_at + LONGEST)
    told = noted(book, [later], [False])
    assert {word.stage for word in told} == {RESOLVED}
    assert not book.open


@pytest.mark.parametrize("seed", range(5))
def test_errors_that_stay_the_same_or_fall_tell_nothing(seed: int) -> None:
    wrong = answers(seed, (100, 0.9), (200, 0.5), (1_700, 0.25))
    assert noted(DriftBook(), any_lessons(2_000), wrong) == []


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(0, 600))
def test_what_is_read_back_tells_the_same(cut: int) -> None:
    lessons, wrong = any_lessons(600), answers(3, (300, 0.1), (100, 0.8), (200, 0.1))
    whole = DriftBook()
    told = noted(whole, lessons, wrong)
    book = DriftBook()
    begun = noted(book, lessons[:cut], wrong[:cut])
    copy, text = book.clone(), json.dumps(book.to_json())
    back = DriftBook.from_json(json.loads(text))
    assert begun + noted(back, lessons[cut:], wrong[cut:]) == told
    assert back.to_json() == whole.to_json()
    assert json.dumps(copy.to_json()) == text, "the copy is another one"


def fold(lessons: Iterable[Lesson]) -> tuple[Learned, list[Alert]]:
    """What is learned of `lessons`, and what is told meanwhile."""
    learned, told = Learned(), list[Alert]()
    for lesson in lessons:
        before = learned.drifts
        learned.learn(lesson)
        told += words(before, learned.drifts, lesson)
    return learned, told


def test_labels_that_change_places_are_told_and_learned_again_sooner() -> None:
    with shared("banking77.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    labels = [label for label, _ in Counter(row["label"] for row in rows).most_common(12)]
    rows = [row for row in rows if row["label"] in labels]
    Random(1).shuffle(rows)
    swapped = dict(zip(labels, [labels[at ^ 1] for at in range(6)] + labels[6:], strict=True))
    course = [
        replace(
            lesson,
            subject="",
            body=row["text"],
            label=swapped[row["label"]] if number >= 1_000 else row["label"],
            team=f"team-{labels.index(row['label']) // 3}",
        )
        for number, (lesson, row) in enumerate(zip(any_lessons(1_500), rows, strict=False))
    ]

    def wrong(lessons: list[Lesson]) -> int:
        learned, found = Learned(), 0
        for number, lesson in enumerate(lessons):
            if number >= 1_000:
                evidence = learned.evidence("category", learned.read(lesson.text))
                assert evidence is not None
                found += max(evidence.logs, key=evidence.logs.__getitem__) != lesson.label
            learned.learn(lesson)
        return found

    _, told = fold(course)
    assert {word.at > NOON + timedelta(minutes=1_000) for word in told} == {True}, "nothing before it"
    assert {word.team for word in told} == {"", "team-0", "team-1"}, "the others stay as they were"
    assert wrong(course) < wrong([replace(lesson, team="") for lesson in course])


def test_lessons_of_earlier_releases_teach_what_they_taught_and_tell_nothing() -> None:
    course = [replace(lesson, team="") for lesson in changing_lessons((150, 0.0), (100, 1.0))]
    learned, told = fold(course)
    assert told == []
    assert Learned.from_bytes(learned.to_bytes())[0].digest() == learned.digest()


def test_a_checkpoint_holds_the_errors_and_a_copy_has_its_own() -> None:
    course = changing_lessons((150, 0.0), (100, 1.0))
    whole, told = fold(course)
    assert [word.stage for word in told if word.team == ""] == [OPENED]
    half, _ = fold(course[:200])
    back, copy, kept_here = Learned.from_bytes(half.to_bytes())[0], half.clone(), half.digest()
    for lesson in course[200:]:
        back.learn(lesson)
        copy.learn(lesson)
    assert back.digest() == copy.digest() == whole.digest()
    assert back.drifts == whole.drifts
    assert half.digest() == kept_here


def test_what_is_taken_back_has_not_sounded() -> None:
    course = changing_lessons((150, 0.0), (100, 1.0))
    back = [
        replace(
            lesson, feedback_id=f"u-{lesson.feedback_id}", feedback=position(1_000 + number), revokes=lesson.feedback_id
        )
        for number, lesson in enumerate(course[150:])
    ]
    before, _ = fold(course)
    after = Learned()
    after.learn_all([*course, *back])
    assert after.weights() == fold(course[:150])[0].weights()
    told = words(before.drifts, after.drifts, back[-1])
    assert {word.stage for word in told} == {RESOLVED}
    assert {word.incident_id for word in told} == set(before.drifts)


def test_a_ticket_is_of_the_team_that_people_say_or_that_the_phrases_name(taxonomy: Taxonomy) -> None:
    owners, event = Owners(taxonomy), ticket_event()
    printer = taxonomy.categories["hardware"].team
    assert owners.owner(event, Taught("category", "network")) == taxonomy.categories["network"].team
    assert owners.owner(event, Taught("priority", "P1")) == printer
    assert owners.owner(ticket_event(human_set={"category": "billing"}), Taught("priority", "P1")) == "billing"
    assert owners.owner(ticket_event(human_set={"team": "sec-ops"}), Taught("category", "network")) == "sec-ops"
    assert owners.owner(ticket_event(human_set={"team": "nobody"}), Taught("intent", "incident")) == printer
