"""Probabilities that audits bear out: what counts as an outcome, the bias that is avoided, and the laws of the fold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest
from examples import NOON, position, ticket_event
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.audits import ALL_TENANTS, LEAST_OF_A_TENANT, MOST_OUTCOMES, WINDOW, AuditBook
from models.course import Course
from models.decide import Models, decide, starting_models
from models.learned import Learned
from models.live_quality import QualityWindow
from models.scores import Curve, calibrated, log_odds, own_log_odds, probability_of
from models.sets import with_lessons
from models.taxonomy import Taxonomy
from models.teaching import audit_outcomes
from schemas import topics
from schemas.decisions import AUDITED, CALIBRATED, Band, Decision, Judgement, Reason
from schemas.errors import InvalidEvent
from schemas.feedback import Feedback, FeedbackKind
from schemas.lessons import AuditOutcome, Lesson

chances = st.floats(0, 1)


def outcome(probability: float, *, right: bool, head: str = "category", said: bool = True) -> AuditOutcome:
    return AuditOutcome(head=head, label="hardware", probability=probability, right=right, said=said)


def lesson(number: int, *outcomes: AuditOutcome, tenant: str = "default", head: str = "", ticket: int = -1) -> Lesson:
    """A lesson on a ticket of its own, unless `ticket` says whose."""
    return Lesson(
        feedback_id=f"f-{number}",
        feedback=position(number, topic=topics.FEEDBACK.name),
        head=head,
        label="billing" if head else "",
        tenant=tenant,
        source="webform",
        ticket_id=f"T-{number if ticket < 0 else ticket}",
        event=position(number),
        subject="",
        body="Der Drucker druckt nicht" if head else "",
        occurred_at=NOON,
        audit=outcomes,
    )


def book(lessons: Iterable[Lesson]) -> AuditBook:
    made = AuditBook()
    for item in lessons:
        made.note(item)
    return made


def curve(lessons: Iterable[Lesson], tenant: str = "default", head: str = "category") -> Curve:
    return book(lessons).curves_of(tenant)[head]


def sample(number: int, *, seed: int = 1, boast: float = 2.0) -> list[tuple[float, bool]]:
    """What a head said whose log odds are `boast` times too large, and whether it was right."""
    random = Random(seed)
    odds = [random.gauss(1.0, 1.0) for _ in range(number)]
    return [(probability_of(boast * true), random.random() < probability_of(true)) for true in odds]


def error(said: Iterable[tuple[float, bool]], found: Curve) -> float:
    """By how much probabilities that `found` calibrates are above the share that is right, on an average."""
    pairs = [(probability_of(found.scale * log_odds(sure) + found.shift), right) for sure, right in said]
    return sum(sure - right for sure, right in pairs) / len(pairs)


def test_all_feedback_is_biased_and_audits_are_not() -> None:
    said, later = sample(6_000), sample(4_000, seed=2)
    random, everything, audits = Random(3), list[Lesson](), list[Lesson]()
    for number, (sure, right) in enumerate(said):
        drawn = random.random() < 0.1
        # What was sent by itself is spoken of where it was wrong, and mostly unnoticed then, too.
        noticed = sure >= 0.5 and not right and random.random() < 0.4
        if drawn or noticed:
            everything.append(lesson(number, outcome(sure, right=right)))
        if drawn:
            audits.append(everything[-1])
    assert len(audits) > 2 * WINDOW
    as_they_are = error(later, Curve(1.0, 0.0, 0))
    assert as_they_are > 0.06, "they boast"
    assert abs(error(later, curve(audits))) < 0.04
    assert error(later, curve(everything)) < -0.15, "and would be far too modest"
    assert curve(audits).scale == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("sure", [0.0, 0.2, 0.999999, 1.0])
def test_no_outcomes_whatever_lead_out_of_bounds(sure: float, right: bool) -> None:
    found = curve(lesson(number, outcome(sure, right=right)) for number in range(WINDOW + 20))
    assert 0.2 <= found.scale <= 5
    assert -3 <= found.shift <= 3
    assert found.audits == WINDOW


def test_one_outcome_moves_a_little_and_none_nothing() -> None:
    assert AuditBook().curves_of("default") == {}
    found = curve([lesson(0, outcome(0.9, right=False))])
    assert 0.4 < found.scale < 1
    assert -0.3 < found.shift < 0
    assert book([lesson(0, outcome(0.9, right=False))]).curves_of("default").keys() == {"category"}


@given(
    st.dictionaries(st.text("abcdef", min_size=1), chances, min_size=1, max_size=6),
    st.floats(0.2, 5),
    st.floats(-3, 3),
)
@example({"a": 5e-324, "aa": 1.0}, 0.2, -3.0)
def test_what_was_most_likely_stays_so_and_probabilities_still_add_up(
    odds: dict[str, float], scale: float, shift: float
) -> None:
    total = sum(odds.values())
    if not total:
        return
    given = {label: value / total for label, value in odds.items()}
    made, moved = calibrated(given, Curve(scale, shift, 1))
    assert max(made, key=made.__getitem__) == max(given, key=given.__getitem__)
    assert sum(made.values()) == pytest.approx(1)
    assert all(0 <= value <= 1 for value in made.values())
    best = max(given, key=given.__getitem__)
    assert log_odds(made[best]) - moved == pytest.approx(log_odds(given[best]), abs=1e-6)


def test_a_tenant_with_enough_outcomes_has_a_curve_of_its_own_and_others_share_one() -> None:
    modest = [lesson(at, outcome(sure, right=right)) for at, (sure, right) in enumerate(sample(100, boast=0.5))]
    boasts = sample(LEAST_OF_A_TENANT, seed=5, boast=3.0)
    bold = [lesson(1_000 + at, outcome(sure, right=right), tenant="bold") for at, (sure, right) in enumerate(boasts)]
    known = book([*modest, *bold[:-1]])
    assert known.curves_of("bold") == known.curves_of("whoever")
    assert [tenant for _, tenant, _ in known.table()] == [ALL_TENANTS, "default"]
    alone, both = book(bold).curves_of("bold")["category"], book([*modest, *bold])
    found, shared = both.curves_of("bold")["category"], both.curves_of("whoever")["category"]
    assert (found.audits, shared.audits) == (LEAST_OF_A_TENANT, 130)
    assert alone.scale < found.scale < both.curves_of("default")["category"].scale, "held near to the others'"
    assert found.scale < shared.scale
    assert [(head, tenant) for head, tenant, _ in both.table()] == [
        ("category", tenant) for tenant in (ALL_TENANTS, "bold", "default")
    ]
    # Where there is one tenant, its outcomes count once.
    assert book(modest).curves_of("default") == book(modest).curves_of("whoever")


def test_what_is_kept_is_bounded_and_a_busy_tenant_does_not_push_out_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.audits.MOST_COUNTED", MOST_OUTCOMES + 100)
    quiet = [lesson(at, outcome(0.8, right=False), tenant="quiet") for at in range(LEAST_OF_A_TENANT)]
    busy = [lesson(100 + at, outcome(0.8, right=True), tenant="busy") for at in range(3 * WINDOW)]
    known = book([*quiet, *busy])
    assert known.curves_of("quiet")["category"].audits == LEAST_OF_A_TENANT
    assert known.curves_of("busy")["category"].audits == WINDOW
    assert known.curves_of("quiet")["category"].shift < 0 < known.curves_of("busy")["category"].shift
    many = book(lesson(at, outcome(0.8, right=True), tenant=f"t-{at % 500}") for at in range(MOST_OUTCOMES + 500))
    assert len(many.to_json()["windows"]["category"]) == MOST_OUTCOMES
    assert len(many.to_json()["counted"]) == MOST_OUTCOMES + 100


def test_the_last_word_on_a_ticket_counts_and_a_resolution_where_nobody_spoke() -> None:
    wrong, right = outcome(0.9, right=False), outcome(0.9, right=True)
    resolved = replace(right, said=False)
    assert curve([lesson(0, wrong), lesson(1, resolved, ticket=0)]) == curve([lesson(0, wrong)])
    assert curve([lesson(0, resolved), lesson(1, wrong, ticket=0)]) == curve([lesson(0, wrong)])
    assert curve([lesson(0, wrong), lesson(1, right, ticket=0)]) == curve([lesson(0, right)])
    another_head = outcome(0.9, right=True, head="priority")
    assert book([lesson(0, wrong), lesson(1, another_head, ticket=0)]).curves_of("default").keys() == {
        "category",
        "priority",
    }
    after_a_while = [lesson(0, wrong), *(lesson(1 + at, right) for at in range(WINDOW))]
    assert curve([*after_a_while, lesson(WINDOW + 1, wrong, ticket=0)]) == curve(after_a_while), "it was forgotten"


def course() -> list[Lesson]:
    """Outcomes of two heads and three tenants, some of which also teach."""
    return [
        lesson(
            at,
            outcome(sure, right=right, head="priority" if at % 5 == 4 else "category", said=bool(at % 3)),
            tenant=("default", "acme", "corp")[at % 7 % 3],
            head="category" if at % 8 == 0 else "",
            ticket=at - 1 if at % 11 == 10 else -1,
        )
        for at, (sure, right) in enumerate(sample(90))
    ]


def fold(lessons: Iterable[Lesson]) -> Learned:
    made = Learned()
    made.learn_all(list(lessons))
    return made


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(0, 90), again=st.lists(st.integers(0, 89), max_size=5))
def test_what_is_read_back_calibrates_and_goes_on_bit_by_bit_the_same(cut: int, again: list[int]) -> None:
    whole, begun = fold(course()), fold(course()[:cut])
    back, _ = Learned.from_bytes(begun.to_bytes())
    assert back.to_bytes() == begun.to_bytes()
    assert back.audits.table() == begun.audits.table()
    copy = begun.clone()
    for one in (back, copy):
        one.learn_all([*(course()[at] for at in again if at < cut), *course()[cut:]])
        assert one.digest() == whole.digest()
        assert one.audits.table() == whole.audits.table()
    assert fold(course()[:cut]).digest() == begun.digest(), "the copy is another one"


def test_an_outcome_is_taken_back_with_its_feedback() -> None:
    given = course()[:20]
    back = replace(
        given[7], feedback_id="u", feedback=position(99), event=position(99), audit=(), revokes=given[7].feedback_id
    )
    assert fold(given).takes_back([back])
    assert fold([*given, back]).weights() == fold([*given[:7], *given[8:]]).weights()


def judged(models: Models, *lessons: Lesson, **changes: object) -> Decision:
    known = with_lessons(models, fold(lessons), len(lessons)) if lessons else models
    return decide(ticket_event(**changes), position(), known)


def test_outcomes_move_the_probability_of_the_next_decision_and_its_band(models: Models) -> None:
    usual = judged(models)
    wrong = [lesson(at, outcome(usual.category.probability, right=False)) for at in range(60)]
    after = judged(models, *wrong)
    assert after.category.probability < usual.category.probability / 2
    assert after.category.label == usual.category.label
    assert [candidate.label for candidate in after.category.top] == [item.label for item in usual.category.top]
    assert usual.band is not Band.REVIEW
    assert after.band is Band.REVIEW
    last = after.category.reasons[-1]
    assert last.text == CALIBRATED
    assert after.category.reasons[:-1] == usual.category.reasons
    assert own_log_odds(after.category) == pytest.approx(log_odds(usual.category.probability), abs=1e-4)
    assert (after.intent, after.priority, after.sentiment) == (usual.intent, usual.priority, usual.sentiment)
    assert judged(models, *wrong, human_set={"category": "billing"}).category.probability == 1
    right = [lesson(at, outcome(usual.category.probability, right=True)) for at in range(60)]
    assert judged(models, *right).category.probability > usual.category.probability


def test_without_audits_decisions_with_lessons_are_what_they_were(models: Models) -> None:
    taught = [lesson(at, head="category") for at in range(3)]
    after = judged(models, *taught)
    assert not any(CALIBRATED in {reason.text for reason in head.reasons} for head in (after.category, after.priority))
    elsewhere = judged(models, *taught, lesson(9, outcome(0.9, right=False, head="intent")))
    assert (elsewhere.category, elsewhere.priority) == (after.category, after.priority)


def test_an_outcome_alone_is_counted_neither_as_a_lesson_nor_as_a_wrong_answer(models: Models) -> None:
    made = Course(Learned(), QualityWindow(lambda _: models, lambda _: None))
    made.take([lesson(0, outcome(0.9, right=False)), lesson(1, outcome(0.9, right=True), head="category")])
    assert {figures.quality.tickets for figures in made.tally.figures()} == {1}
    assert made.learned.audits.curves_of("default")["category"].audits == 2
    with pytest.raises(InvalidEvent):
        lesson(0)
    with pytest.raises(InvalidEvent, match="is not audited"):
        outcome(0.5, right=True, head="sentiment")
    with pytest.raises(InvalidEvent, match="not from 0 to 1"):
        outcome(1.5, right=True)


def feedback(kind: FeedbackKind, field: str | None = None, value: str = "done") -> Feedback:
    return Feedback(
        feedback_id="f", kind=kind, ticket_id="T-1", source="webform", field=field, value=value, occurred_at=NOON
    )


def said(name: str, value: str) -> Feedback:
    return feedback(FeedbackKind.CORRECTION, name, value)


@pytest.fixture
def drawn(taxonomy: Taxonomy) -> Decision:
    """An audited decision, of a category that its team has alone."""
    teams = {name: replace(team, audit=1.0) for name, team in taxonomy.teams.items()}
    made = decide(ticket_event(), position(), starting_models(replace(taxonomy, teams=teams)))
    assert made.audited
    return made


def ends(word: Feedback, first: Decision, last: Decision, taxonomy: Taxonomy) -> dict[str, tuple[bool, bool]]:
    return {one.head: (one.right, one.said) for one in audit_outcomes(word, first, last, taxonomy)}


def test_what_people_say_of_an_audited_decision_is_its_outcome(drawn: Decision, taxonomy: Taxonomy) -> None:
    label = drawn.category.label
    assert label == "hardware"
    owner = taxonomy.categories[label].team
    assert ends(said("category", label), drawn, drawn, taxonomy) == {"category": (True, True)}
    assert ends(said("category", "billing"), drawn, drawn, taxonomy) == {"category": (False, True)}
    assert ends(said("priority", "P1"), drawn, drawn, taxonomy) == {"priority": (drawn.priority.label == "P1", True)}
    for nothing in (said("sentiment", "negative"), said("language", "de"), feedback(FeedbackKind.RETRACTION)):
        assert ends(nothing, drawn, drawn, taxonomy) == {}
    alone = sum(other.team == owner for other in taxonomy.categories.values()) == 1
    for stays in (said("team", owner), feedback(FeedbackKind.REASSIGNMENT, value=owner)):
        assert ends(stays, drawn, drawn, taxonomy) == ({"category": (True, True)} if alone else {})
    moves = feedback(FeedbackKind.REASSIGNMENT, value="billing")
    assert ends(moves, drawn, drawn, taxonomy) == {"category": (False, True)}
    assert ends(moves, replace(drawn, incident_id="i-1"), drawn, taxonomy) == {}, "it had the team of an incident"
    by_hand = replace(drawn, category=replace(drawn.category, reasons=()))
    assert not by_hand.audited
    assert ends(said("category", label), by_hand, by_hand, taxonomy) == {}


def test_a_resolution_confirms_what_stands_and_says_nothing_of_what_was_changed_since(
    drawn: Decision, taxonomy: Taxonomy
) -> None:
    done = feedback(FeedbackKind.RESOLUTION)
    everything = dict.fromkeys(("category", "intent", "priority"), (True, False))
    assert ends(done, drawn, drawn, taxonomy) == everything

    def then(head: str, judgement: Judgement, **changes: object) -> Decision:
        return replace(drawn, **{head: judgement}, **changes)  # type: ignore[arg-type]  # a test's shorthand

    def without(head: str) -> dict[str, tuple[bool, bool]]:
        return {name: found for name, found in everything.items() if name != head}

    later = replace(drawn.priority, label="P1" if drawn.priority.label != "P1" else "P4")
    assert ends(done, drawn, then("priority", later), taxonomy) == without("priority"), "of a later text"
    by_hand = then("priority", replace(later, human=True))
    assert ends(done, drawn, by_hand, taxonomy) == {**everything, "priority": (False, False)}
    confirmed = then("category", replace(drawn.category, human=True), team="another")
    assert ends(done, drawn, confirmed, taxonomy) == everything
    assert ends(done, drawn, replace(drawn, team="another"), taxonomy) == without("category")
    of_an_incident = replace(drawn, team="another", incident_id="i-1")
    assert ends(done, drawn, of_an_incident, taxonomy) == everything
    from_the_start = then("priority", replace(drawn.priority, human=True))
    assert ends(done, from_the_start, from_the_start, taxonomy) == without("priority")


def test_an_outcome_has_the_probability_that_the_models_had_of_themselves(
    drawn: Decision, taxonomy: Taxonomy, models: Models
) -> None:
    (as_it_was,) = audit_outcomes(said("category", "billing"), drawn, drawn, taxonomy)
    assert as_it_was.probability == pytest.approx(drawn.category.probability, abs=2e-6)
    wrong = [lesson(at, outcome(0.8, right=False)) for at in range(20)]
    moved = judged(models, *wrong)
    by_lot = replace(
        moved, category=replace(moved.category, reasons=(*moved.category.reasons, Reason(text=AUDITED, weight=0.0)))
    )
    (again,) = audit_outcomes(said("category", "billing"), by_lot, by_lot, taxonomy)
    assert again.probability == pytest.approx(as_it_was.probability, abs=1e-4)
    assert moved.category.probability < again.probability - 0.1
