"""How good decisions were that people said something about: in the store, on a log small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from examples import position, ticket_event

from models.decide import Models, decide
from models.quality import Outcome, quality
from models.scores import set_by_a_person
from schemas import topics
from schemas.decisions import Judgement
from schemas.events import EventKind
from schemas.feedback import Feedback, FeedbackKind
from sinks.archive import Archive
from sinks.migrations import packaged_migrations
from sinks.queries import named_queries
from sinks.rows import Row, decision_row, feedback_row
from sinks.store import Store

NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
HOUR = timedelta(hours=1)

SAID = (("hardware", 0.9), ("hardware", 0.6), ("billing", 0.8), ("network", 0.4))
TRUE = ("hardware", "billing", "billing", "network")


def decided(
    models: Models, ticket: str, at: datetime, category: Judgement, place: int, kind: EventKind = EventKind.CREATED
) -> Row:
    event = ticket_event(event_id=f"{ticket}-{place}", ticket_id=ticket, occurred_at=at, kind=kind)
    decision = replace(decide(event, position(place), models), category=category, team="desk")
    return decision_row(decision, decided_at=at, latency_ms=1)


def judgement(label: str, probability: float) -> Judgement:
    return Judgement(label=label, probability=probability, top=())


def correction(ticket: str, value: str, at: datetime, place: int, **changes: Any) -> Row:
    word = Feedback(
        **{
            "feedback_id": f"f-{place}",
            "kind": FeedbackKind.CORRECTION,
            "ticket_id": ticket,
            "source": ticket_event().source,
            "field": "category",
            "value": value,
            "occurred_at": at,
            **changes,
        }
    )
    return feedback_row(word, position(place, topic=topics.FEEDBACK.name))


def write(store: Store, rows: list[Row]) -> None:
    Archive(store).write(rows, now=datetime.now(UTC).replace(microsecond=0))


def ask(store: Store, name: str) -> list[dict[str, Any]]:
    query = named_queries()[name]
    query.refresh(store)
    answer = query.run(store)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def of_category(store: Store) -> dict[str, Any]:
    (row,) = [row for row in ask(store, "quality") if (row["head"], row["dimension"]) == ("category", "all")]
    return row


@pytest.fixture
def rows(models: Models) -> list[Row]:
    """Four tickets whose category people told, one to four hours after it was decided."""
    found: list[Row] = []
    for number, ((said, sure), truth) in enumerate(zip(SAID, TRUE, strict=True)):
        at = NOW + number * HOUR
        found.append(decided(models, f"T-{number}", at, judgement(said, sure), number))
        found.append(correction(f"T-{number}", truth, at + (number + 1) * HOUR, number))
    return found


def test_the_figures_are_those_of_triage_evaluate(store: Store, rows: list[Row]) -> None:
    write(store, rows)
    row = of_category(store)
    want = quality([Outcome(truth, said, sure) for (said, sure), truth in zip(SAID, TRUE, strict=True)])
    assert (row["judged"], row["accuracy_percent"]) == (4, 100 * want.accuracy)
    assert (row["macro_f1"], row["ece"]) == (round(want.macro_f1, 3), round(want.ece, 3))
    assert row["delay_hours_p90"] == 4
    by_day = [day for day in ask(store, "quality_days") if day["head"] == "category"]
    assert [(day["day"].isoformat(), day["judged"]) for day in by_day] == [(f"{NOW:%Y-%m-%d}", 4)]


def test_feedback_that_comes_again_counts_once(store: Store, rows: list[Row]) -> None:
    write(store, rows)
    write(store, rows)  # Kafka delivers again
    sent_again = [
        replace(row, position=replace(row.position, offset=row.position.offset + 100))
        for row in rows
        if row.table == "feedback"
    ]
    write(store, sent_again)
    assert of_category(store)["judged"] == 4


def test_what_was_decided_before_counts_and_not_what_a_person_had_set_or_what_came_later(
    store: Store, models: Models
) -> None:
    first, later = judgement("hardware", 0.9), judgement("billing", 0.9)
    by_hand = set_by_a_person("billing")
    write(
        store,
        [
            decided(models, "T-1", NOW, first, 0),
            decided(models, "T-1", NOW + HOUR, by_hand, 1, EventKind.MESSAGE_ADDED),
            decided(models, "T-1", NOW + 3 * HOUR, later, 2, EventKind.MESSAGE_ADDED),
            correction("T-1", "billing", NOW + 2 * HOUR, 0),
        ],
    )
    row = of_category(store)
    assert (row["judged"], row["accuracy_percent"], row["delay_hours_median"]) == (1, 0, 2)


def test_feedback_that_names_its_decision_is_about_that_one(store: Store, models: Models) -> None:
    right = decided(models, "T-1", NOW, judgement("billing", 0.9), 0)
    write(
        store,
        [
            right,
            decided(models, "T-1", NOW + HOUR, judgement("hardware", 0.9), 1, EventKind.MESSAGE_ADDED),
            correction("T-1", "billing", NOW + 2 * HOUR, 0, decision_id=right.values["decision_id"]),
        ],
    )
    assert of_category(store)["accuracy_percent"] == 100


def test_a_ticket_that_moved_is_a_judgement_on_its_team(store: Store, rows: list[Row]) -> None:
    moved = correction("T-0", "net", NOW + HOUR, 50, kind=FeedbackKind.REASSIGNMENT, field=None)
    stayed = correction("T-1", "desk", NOW + 2 * HOUR, 51, field="team")
    write(store, [*rows, moved, stayed])
    found = {(row["head"], row["dimension"], row["value"]): row for row in ask(store, "quality")}
    assert found["team", "team", "desk"]["accuracy_percent"] == 50
    assert found["category", "language", "de"]["judged"] == 4


def test_feedback_on_unknown_tickets_and_an_empty_store_give_no_rows(store: Store) -> None:
    assert ask(store, "quality") == ask(store, "quality_days") == []
    write(store, [correction("T-unknown", "billing", NOW, 0)])
    assert ask(store, "quality") == []


def judged(store: Store) -> list[tuple[Any, ...]]:
    for view in named_queries()["quality"].views:
        store.command(f"SYSTEM REFRESH VIEW {view}")
        store.command(f"SYSTEM WAIT VIEW {view}")
    return sorted(store.query("SELECT * FROM judged_answers").rows, key=repr)


def judged_as_a_whole(store: Store) -> list[tuple[Any, ...]]:
    """All of them computed from all rows, by the query that did so once."""
    (made,) = [one for one in packaged_migrations() if one.name == "quality"]
    (whole,) = [one for one in made.statements if "judged_answers" in one]
    return sorted(store.query(whole.partition("EMPTY\nAS\n")[2]).rows, key=repr)


def said_at_random(random: Random, models: Models, rows: list[Row], at: datetime) -> Row:
    """A decision or a piece of feedback, of any time before `at`: on a ticket of ours, late, or for the second time."""
    place, ticket = 10_000 + len(rows), f"T-{random.randrange(40)}"
    occurred_at = at - random.randrange(1, 4_000) * timedelta(minutes=1) - place * timedelta(milliseconds=1)
    words = [row for row in rows if row.table == "feedback"]
    match random.randrange(7):
        case 0 | 1 | 2:
            kind = random.choice([EventKind.CREATED, EventKind.MESSAGE_ADDED])
            label, chance = random.choice(TRUE), random.random()
            said = set_by_a_person(label) if random.random() < 0.2 else judgement(label, chance)
            return decided(models, ticket, occurred_at, said, place, kind)
        case 3 if words:  # sent again, or its id used for another ticket: at a place before the first, at times
            row = random.choice(words)
            values = {**row.values, "ticket_id": random.choice([ticket, row.values["ticket_id"]])}
            offset = random.choice([place, 20_000 - place])
            return replace(row, values=values, position=replace(row.position, offset=offset), late=offset < place)
        case 4 if words and random.random() < 0.3:
            row = random.choice(words)
            back = row.values["feedback_id"]
            return correction(
                row.values["ticket_id"], back, occurred_at, place, kind=FeedbackKind.RETRACTION, field=None
            )
        case 5:
            named = [row for row in rows if row.values["ticket_id"] == ticket and row.table == "ticket_decisions"]
            about = random.choice(named).values["decision_id"] if named and random.random() < 0.5 else None
            return correction(ticket, random.choice(TRUE), occurred_at, place, decision_id=about)
        case _:
            kind = random.choice([FeedbackKind.REASSIGNMENT, FeedbackKind.RESOLUTION, FeedbackKind.CORRECTION])
            field = "team" if kind is FeedbackKind.CORRECTION else None
            return correction(ticket, random.choice(["desk", "net"]), occurred_at, place, kind=kind, field=field)


@pytest.mark.parametrize("seed", [1, 2])
def test_answers_of_changed_tickets_alone_are_computed_and_all_are_as_if_computed_as_a_whole(
    store: Store, models: Models, seed: int
) -> None:
    random, archive, rows = Random(seed), Archive(store), list[Row]()
    begin, found = NOW - timedelta(days=5), list[tuple[Any, ...]]()
    for number in range(8):
        stored_at, part = begin + number * 7 * HOUR, list[Row]()
        for _ in range(8 if number % 4 else 120):
            part.append(said_at_random(random, models, rows, stored_at))
            rows.append(part[-1])
        archive.write(part, now=stored_at)
        found = judged(store)
        assert found == judged_as_a_whole(store)
    assert len(found) > 15
    computed = "SELECT ticket_id FROM answer_facts WHERE computed_at = (SELECT max(computed_at) FROM answer_facts)"
    again = {ticket for (ticket,) in store.query(computed).rows if ticket}
    known = {ticket for (ticket,) in store.query("SELECT ticket_id FROM feedback").rows}
    # What takes back something that is not there changes nothing.
    newest = (
        "SELECT ticket_id FROM {} WHERE ingested_at = (SELECT max(through) FROM answer_facts) AND kind != 'retraction'"
    )
    stored = {
        ticket for table in ("feedback", "ticket_decisions") for (ticket,) in store.query(newest.format(table)).rows
    }
    assert stored & known <= again < known


def test_where_all_that_was_said_is_taken_back_there_is_no_answer(store: Store, models: Models) -> None:
    archive = Archive(store)
    archive.write(
        [decided(models, "T-1", NOW, judgement("hardware", 0.9), 0), correction("T-1", "billing", NOW + HOUR, 0)],
        now=NOW + HOUR,
    )
    assert len(judged(store)) == 1
    back = correction("T-1", "f-0", NOW + 2 * HOUR, 1, kind=FeedbackKind.RETRACTION, field=None)
    archive.write([back], now=NOW + 9 * HOUR)
    assert judged(store) == judged_as_a_whole(store) == []
