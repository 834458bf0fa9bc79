"""What analysts are told, on a log small enough to count by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from examples import position, ticket_event
from pipeline import Pipeline

from models.causes import signed_g2
from models.decide import Models, decide, starting_models
from models.taxonomy import Taxonomy
from schemas import topics
from schemas.decisions import Decision
from schemas.events import EventKind
from schemas.feedback import Feedback, FeedbackKind
from sinks.archive import Archive
from sinks.migrations import packaged_migrations
from sinks.queries import named_queries
from sinks.rows import Row, decision_row, event_row, feedback_row
from sinks.store import Store
from streams.publish import Outgoing

# Events are kept 30 days by the engine's own clock, so the log ends today.
TODAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

TRENDS = (
    *(
        "volumes",
        "emerging_words",
        "vanishing_words",
        "first_response",
        "resolution",
        "sla",
        "reassignments",
        "reopens",
        "escalations",
    ),
    *("accuracy", "time_in_state"),
)


class Log:
    """A log of tickets, each of which is decided for a team and priority as it is told."""

    def __init__(self, models: Models) -> None:
        self.rows: list[Row] = []
        self._models = models

    def event(self, kind: EventKind, ticket: str, at: datetime, **changes: Any) -> None:
        event = ticket_event(
            event_id=f"{ticket}-{kind}-{at.isoformat()}",
            ticket_id=ticket,
            kind=kind,
            occurred_at=at,
            **{"requester": "customer", **changes},
        )
        self.rows.append(event_row(event, position(len(self.rows))))

    def created(
        self, ticket: str, at: datetime, team: str, priority: str = "P3", category: str = "hardware", **changes: Any
    ) -> None:
        self.event(EventKind.CREATED, ticket, at, **changes)
        event = ticket_event(event_id=ticket, ticket_id=ticket, occurred_at=at, **changes)
        decision: Decision = decide(event, position(len(self.rows)), self._models)
        decision = replace(
            decision,
            team=team,
            category=replace(decision.category, label=category),
            priority=replace(decision.priority, label=priority),
        )
        self.rows.append(decision_row(decision, decided_at=at, latency_ms=1))

    def said(self, kind: FeedbackKind, ticket: str, at: datetime, value: str, field: str | None = None) -> None:
        word = Feedback(
            feedback_id=f"{ticket}-{at.isoformat()}",
            kind=kind,
            ticket_id=ticket,
            source="helpdesk",
            field=field,
            value=value,
            occurred_at=at,
        )
        self.rows.append(feedback_row(word, position(len(self.rows), topic=topics.FEEDBACK.name)))


@pytest.fixture
def log(models: Models) -> Log:
    """Five tickets of the last seven days and one of the seven before.

    A (P1, desk): answered after 10 min, resolved after 2 h; came back after 4 h, was resolved for good after 5 h.
    B (P2, desk): moved to net after 1 h by feedback; answered after 2 h; resolved after 3 h; a person made it P4.
    C (P3, net): nobody has answered; 26 h old at the end of the log.
    D (P4, net): its category was corrected; resolved after 1 h, which is its answer, too.
    E (P3, desk): the customer wrote again, which is no answer; 1 h old at the end of the log.
    Z (P3, desk), ten days ago: answered after 30 min, resolved after 2 h.
    """
    made = Log(models)
    start = TODAY - 2 * DAY
    made.created("A", start, "desk", "P1", subject="Server down")
    made.event(EventKind.MESSAGE_ADDED, "A", start + 10 * MINUTE, requester="agent")
    made.event(EventKind.RESOLVED, "A", start + 2 * HOUR)
    made.event(EventKind.REOPENED, "A", start + 4 * HOUR)
    made.event(EventKind.RESOLVED, "A", start + 5 * HOUR)
    made.event(EventKind.CLOSED, "A", start + 6 * HOUR)
    made.created("B", start, "desk", "P2", subject="Server slow")
    made.said(FeedbackKind.REASSIGNMENT, "B", start + HOUR, "net")
    made.event(EventKind.MESSAGE_ADDED, "B", start + 2 * HOUR, requester="agent")
    made.said(FeedbackKind.CORRECTION, "B", start + 2 * HOUR + MINUTE, "P4", field="priority")
    made.event(EventKind.RESOLVED, "B", start + 3 * HOUR)
    made.created("C", TODAY - 26 * HOUR, "net", subject="Server 4711 gone")
    made.created("D", start + HOUR, "net", "P4", subject="Drucker: Papier fehlt")
    made.said(FeedbackKind.CORRECTION, "D", start + 90 * MINUTE, "billing", field="category")
    made.event(EventKind.RESOLVED, "D", start + 2 * HOUR)
    made.created("E", TODAY - HOUR, "desk", subject="Drucker")
    made.event(EventKind.MESSAGE_ADDED, "E", TODAY)
    made.created("Z", TODAY - 10 * DAY, "desk", subject="Papier")
    made.event(EventKind.MESSAGE_ADDED, "Z", TODAY - 10 * DAY + 30 * MINUTE, requester="agent")
    made.event(EventKind.RESOLVED, "Z", TODAY - 10 * DAY + 2 * HOUR)
    return made


def filled(store: Store, log: Log) -> None:
    # What a source sends twice, at another place in the log, counts once.
    again = [
        replace(row, position=replace(row.position, offset=row.position.offset + 1000))
        for row in log.rows
        if row.table != "ticket_decisions"
    ]
    Archive(store).write([*log.rows, *again], now=datetime.now(UTC).replace(microsecond=0))


def ask(store: Store, name: str) -> list[dict[str, Any]]:
    query = named_queries()[name]
    query.refresh(store)
    answer = query.run(store)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def by_team(store: Store, name: str, *columns: str) -> dict[str, tuple[Any, ...]]:
    return {row["team"]: tuple(row[column] for column in columns) for row in ask(store, name)}


def test_volumes_have_shares_and_the_change_against_the_week_before(store: Store, log: Log) -> None:
    filled(store, log)
    rows = {(row["dimension"], row["value"]): row for row in ask(store, "volumes")}
    total = rows["all", "all"]
    assert (total["tickets_7d"], total["tickets_before"], total["change_percent"]) == (5, 1, 400.0)
    desk, net = rows["team", "desk"], rows["team", "net"]
    assert (desk["tickets_7d"], desk["tickets_before"], desk["percent"], desk["change_percent"]) == (3, 1, 60.0, 200.0)
    assert (net["tickets_7d"], net["percent"], net["change_percent"]) == (2, 40.0, None), "nothing to compare with"
    assert [value for dimension, value in rows if dimension == "priority"] == ["P3", "P1", "P2", "P4"]


def test_a_ticket_is_in_the_volumes_of_its_product_and_of_each_of_its_tags(store: Store, models: Models) -> None:
    told = Log(models)
    for number in range(4):
        tags = ("eu", "eu", "trial") if number else ()
        product = "Lagerix" if number > 1 else ""
        told.created(f"T-{number}", TODAY - number * HOUR, "desk", product=product, tags=tags)
    filled(store, told)
    rows = {(row["dimension"], row["value"]): row for row in ask(store, "volumes")}
    named = {key: (row["tickets_7d"], row["percent"]) for key, row in rows.items() if key[0] in ("product", "tag")}
    assert named == {("product", "Lagerix"): (2, 50.0), ("tag", "eu"): (3, 75.0), ("tag", "trial"): (3, 75.0)}
    kept = store.query("SELECT product, tags FROM ticket_decisions_latest ORDER BY ticket_id").rows
    assert [(product, list(tags)) for product, tags in kept] == [
        ("", []),
        ("", ["eu", "trial"]),
        *[("Lagerix", ["eu", "trial"])] * 2,
    ]
    events = store.query("SELECT product FROM ticket_events ORDER BY ticket_id LIMIT 1 BY ticket_id").rows
    assert [product for (product,) in events] == ["", "", "Lagerix", "Lagerix"]


def test_of_many_tags_the_most_frequent_are_shown(store: Store, models: Models) -> None:
    told = Log(models)
    for number in range(12):
        told.created(f"T-{number}", TODAY, "desk", tags=("most", *(f"{number}-{tag:02}" for tag in range(15))))
    filled(store, told)
    tags = [row for row in ask(store, "volumes") if row["dimension"] == "tag"]
    assert (len(tags), tags[0]["value"], tags[0]["tickets_7d"]) == (100, "most", 12)


def test_the_time_to_the_first_answer_counts_what_others_than_the_requester_write(store: Store, log: Log) -> None:
    filled(store, log)
    # desk has A (10 min) and E (none yet), and had Z; net has B (120 min), C (none yet) and D (60 min).
    answers = by_team(store, "first_response", "tickets", "unanswered", "p50_min", "p50_min_before", "change_percent")
    assert answers["desk"] == (2, 1, 10.0, 30.0, -66.7)
    assert answers["net"][:2] == (3, 1)
    assert answers["net"][2] in (60.0, 120.0), "of two values either is the middle"
    assert answers["net"][3:] == (None, None)


def test_the_time_to_resolution_ends_with_the_last_one(store: Store, log: Log) -> None:
    filled(store, log)
    resolved = by_team(store, "resolution", "tickets", "unresolved", "p50_h", "p90_h", "p50_h_before")
    assert resolved["desk"] == (2, 1, 5.0, 5.0, 2.0)
    assert resolved["net"] == (3, 1, resolved["net"][2], 3.0, None)


def test_sla_attainment_leaves_out_what_still_has_time(store: Store, log: Log) -> None:
    filled(store, log)
    rows = {(row["priority"], row["team"]): row for row in ask(store, "sla")}
    met = {key: (row["answered_percent"], row["resolved_percent"]) for key, row in rows.items()}
    # P1 has 15 min and 4 h; A came back, and was resolved for good after 5 h.
    assert met["P1", "desk"] == (100.0, 0.0)
    # B is P4 by a person's word: 8 h and 72 h. So is D.
    assert met["P4", "net"] == (100.0, 100.0)
    # C has waited for 26 h: P3 has 4 h and 24 h. E has time for both.
    assert met["P3", "net"] == (0.0, 0.0)
    assert met["P3", "desk"] == (None, None)
    assert rows["P3", "desk"]["answered_percent_before"] == 100.0
    store.command("INSERT INTO sla_targets (priority, response_minutes, resolution_minutes) VALUES ('P1', 5, 600)")
    changed = {(row["priority"], row["team"]): row for row in ask(store, "sla")}["P1", "desk"]
    assert (changed["answered_percent"], changed["resolved_percent"]) == (0.0, 100.0)


def test_reassignments_reopens_escalations_and_accuracy_are_counted_per_team(store: Store, log: Log) -> None:
    filled(store, log)
    moved = by_team(store, "reassignments", "tickets", "moved", "percent", "percent_before", "most_moves")
    assert moved == {"desk": (2, 0, 0.0, 0.0, 0), "net": (3, 1, 33.3, None, 1)}
    back = by_team(store, "reopens", "resolved", "reopened", "percent")
    assert back == {"desk": (1, 1, 100.0), "net": (2, 0, 0.0)}
    lowered = by_team(store, "escalations", "escalated", "unnecessary", "percent")
    assert lowered == {"desk": (2, 1, 50.0), "net": (0, 0, None)}
    # Decided for desk: A stood, B was moved, E is open and nobody said anything. For net: D's category was corrected.
    right = by_team(store, "accuracy", "tickets", "judged", "stood", "percent", "percent_before")
    assert right == {"desk": (3, 2, 1, 50.0, 100.0), "net": (2, 1, 0, 0.0, None)}


def test_what_was_taken_back_is_as_if_nobody_had_said_it(store: Store, log: Log) -> None:
    start = TODAY - 2 * DAY
    for ticket, said_at, field in (
        ("B", start + HOUR, "category"),
        ("B", start + 2 * HOUR + MINUTE, "priority"),
        ("D", start + 90 * MINUTE, "category"),
    ):
        log.said(FeedbackKind.RETRACTION, ticket, TODAY - HOUR, f"{ticket}-{said_at.isoformat()}", field=field)
    log.said(FeedbackKind.CORRECTION, "E", TODAY - HOUR, "billing", field="category")
    log.said(FeedbackKind.RETRACTION, "E", TODAY, f"E-{(TODAY - HOUR).isoformat()}", field="category")
    log.said(FeedbackKind.RETRACTION, "A", TODAY, f"E-{(TODAY - HOUR).isoformat()}", field="priority")
    filled(store, log)
    moved = by_team(store, "reassignments", "tickets", "moved")
    assert moved == {"desk": (3, 0), "net": (2, 0)}
    assert by_team(store, "escalations", "escalated", "unnecessary") == {"desk": (2, 0), "net": (0, 0)}
    right = by_team(store, "accuracy", "tickets", "judged", "stood")
    assert right == {"desk": (3, 2, 2), "net": (2, 1, 1)}, "E is open, and what was said of it does not stand"
    lives = "SELECT category, priority, team FROM ticket_lives WHERE ticket_id IN ('A', 'B') ORDER BY ticket_id"
    assert store.query(lives).rows == (("hardware", "P1", "desk"), ("hardware", "P2", "desk"))


def told_at_random(made: Log, random: Random, told: dict[str, str], at: datetime) -> None:
    """One more thing, of a ticket that is new or known; some things are told late, some taken back."""
    if (known := [row for row in made.rows if row.table != "ticket_decisions"]) and random.random() < 0.1:
        row = random.choice(known)  # sent twice
        made.rows.append(replace(row, position=replace(row.position, offset=len(made.rows))))
        return
    at -= timedelta(milliseconds=random.randrange(1, 10**9) if random.random() < 0.2 else random.randrange(1, 10**6))
    ticket = f"T-{random.randrange(40)}"
    team, priority = random.choice(["desk", "net", "billing"]), random.choice(["P1", "P2", "P3", "P4"])
    match random.randrange(8):
        case 0:
            if not any(row.table == "ticket_decisions" and row.values["ticket_id"] == ticket for row in made.rows):
                made.created(ticket, at, team, priority)
        case 1 | 2:
            made.event(EventKind.MESSAGE_ADDED, ticket, at, requester=random.choice(["customer", "agent"]))
        case 3:
            human = random.choice([{"team": team}, {"priority": priority}, {"category": "access"}])
            made.event(EventKind.CHANGED, ticket, at, human_set=human)
        case 4:
            made.event(random.choice([EventKind.RESOLVED, EventKind.CLOSED]), ticket, at)
        case 5:
            made.event(EventKind.REOPENED, ticket, at)
        case 6:
            made.said(FeedbackKind.REASSIGNMENT, ticket, at, team)
            told[f"{ticket}-{at.isoformat()}"] = ticket
        case _:
            if told and random.random() < 0.5:
                word, of = told.popitem()
                made.said(FeedbackKind.RETRACTION, of, at, word)
            else:
                made.said(FeedbackKind.CORRECTION, ticket, at, priority, field="priority")


def lives(store: Store) -> list[tuple[Any, ...]]:
    return sorted(store.query("SELECT * FROM ticket_lives").rows, key=repr)


def lives_as_a_whole(store: Store) -> list[tuple[Any, ...]]:
    """All of them computed from all rows, by the query that did so once."""
    (retractions,) = [one for one in packaged_migrations() if one.name == "retractions"]
    (whole,) = [one for one in retractions.statements if "MODIFY QUERY" in one]
    return sorted(store.query(whole.partition("MODIFY QUERY")[2]).rows, key=repr)


@pytest.mark.parametrize("seed", [1, 2])
def test_lives_of_changed_tickets_alone_are_computed_and_all_are_as_if_computed_as_a_whole(
    store: Store, models: Models, seed: int
) -> None:
    random, made, archive = Random(seed), Log(models), Archive(store)
    before_part, part = list[Row](), list[Row]()
    told: dict[str, str] = {}
    begin, refreshes = TODAY - 3 * DAY, 8
    for number in range(refreshes):
        stored_at, first = begin + number * 7 * HOUR, len(made.rows)
        for _ in range(15 if number % 4 else 150):
            told_at_random(made, random, told, stored_at)
        before_part, part = part, made.rows[first:]
        archive.write(part, now=stored_at)
        store.command("SYSTEM REFRESH VIEW changed_lives")
        store.command("SYSTEM WAIT VIEW changed_lives")
        assert lives(store) == lives_as_a_whole(store)
    # Of the last time, and of the time before: an hour is looked back.
    changed = {row.values["ticket_id"] for row in [*before_part, *part]}
    newest = "SELECT ticket_id FROM life_facts WHERE computed_at = (SELECT max(computed_at) FROM life_facts)"
    computed = {ticket for (ticket,) in store.query(newest).rows}
    alive = {ticket for (ticket,) in store.query("SELECT ticket_id FROM ticket_lives").rows}
    assert computed == changed & alive < alive
    before = len(lives(store))
    store.command(f"ALTER TABLE ticket_events DROP PARTITION {begin:%Y%m%d}")  # as they do that are too old
    # What was known of those that stay is kept, though some of it is dropped.
    assert sorted(row[:3] for row in lives(store)) == sorted(row[:3] for row in lives_as_a_whole(store))
    assert 0 < len(lives(store)) < before


def test_what_people_say_of_audited_decisions_is_counted_and_nothing_else(
    store: Store, models: Models, taxonomy: Taxonomy
) -> None:
    everything = {name: replace(team, audit=1.0) for name, team in taxonomy.teams.items()}
    drawn, others = Log(starting_models(replace(taxonomy, teams=everything))), Log(models)
    at = TODAY - DAY
    for ticket, team in (("A", "desk"), ("B", "desk"), ("C", "desk"), ("D", "net")):
        drawn.created(ticket, at, team, source="helpdesk")
    drawn.rows += [replace(row, position=position(100 + place)) for place, row in enumerate(drawn.rows)]  # sent twice
    others.rows = drawn.rows
    others.created("E", at, "desk", source="helpdesk")
    for ticket, truth in (("A", "hardware"), ("B", "access"), ("C", "access"), ("E", "access")):
        others.said(FeedbackKind.CORRECTION, ticket, at + HOUR, truth, field="category")
    others.said(FeedbackKind.CORRECTION, "B", at + 2 * HOUR, "hardware", field="category")
    others.said(FeedbackKind.RETRACTION, "C", at + HOUR, f"C-{(at + HOUR).isoformat()}", field="category")
    rows = sorted(others.rows, key=lambda row: row.position.offset)
    Archive(store).write(rows, now=datetime.now(UTC).replace(microsecond=0))
    asked = by_team(store, "audits", "audited", "judged", "right", "percent")
    assert asked == {"desk": (3, 2, 2, 100.0), "net": (1, 0, 0, None)}, (
        "what was said last counts, and C's does not stand"
    )


def test_the_time_in_each_state_goes_to_the_team_that_had_the_ticket(store: Store, log: Log) -> None:
    filled(store, log)
    hours = {(row["team"], row["state"]): (row["stays"], row["total_h"]) for row in ask(store, "time_in_state")}
    assert hours == {
        ("desk", "waiting"): (4, 2.7),  # A 10 min, B 1 h before it moved, E 1 h, Z 30 min: 160 min
        ("desk", "working"): (2, 3.3),  # A 1 h 50 min, Z 1 h 30 min
        ("desk", "reopened"): (1, 1.0),  # A
        ("net", "waiting"): (3, 28.0),  # B 1 h, C 26 h, D 1 h
        ("net", "working"): (1, 1.0),  # B
    }


def test_a_word_that_comes_up_in_many_subjects_is_found_and_numbers_are_not(store: Store, models: Models) -> None:
    made = Log(models)
    for number in range(60):
        made.created(f"old-{number}", TODAY - 12 * DAY + number * MINUTE, "desk", subject=f"Drucker {number} klemmt")
    for number in range(30):
        about = "Zertifikat abgelaufen" if number < 20 else "Drucker klemmt"
        made.created(f"new-{number}", TODAY - DAY + number * MINUTE, "desk", subject=f"{about} 47{number}")
    filled(store, made)
    words = {row["word"]: row for row in ask(store, "emerging_words")}
    assert set(words) == {"zertifikat", "abgelaufen"}
    found = words["zertifikat"]
    assert (found["tickets_7d"], found["before"]) == (20, 0)
    # 20 of 30 against half a one of 60, as the detector's causes are ranked.
    assert found["g2"] == pytest.approx(signed_g2(20, 30, 0, 60), abs=0.05)


def test_a_word_that_subjects_hold_no_more_is_found_and_one_that_is_only_rarer_with_all_is_not(
    store: Store, models: Models
) -> None:
    made = Log(models)
    for number in range(60):
        about = "Faxgerät" if number < 30 else "Drucker"
        made.created(f"old-{number}", TODAY - 12 * DAY + number * MINUTE, "desk", subject=f"{about} {number} klemmt")
    for number in range(30):
        made.created(f"new-{number}", TODAY - DAY + number * MINUTE, "desk", subject=f"Drucker {number} klemmt")
    filled(store, made)
    (found,) = ask(store, "vanishing_words")
    assert (found["word"], found["tickets_7d"], found["before"], found["expected"]) == ("faxgerät", 0, 30, 15.0)
    assert found["g2"] == pytest.approx(-signed_g2(0.5, 30, 30, 60), abs=0.05)


@pytest.mark.parametrize("name", TRENDS)
def test_an_empty_store_has_no_trends_and_no_error(store: Store, name: str) -> None:
    assert ask(store, name) == []
    assert named_queries()[name].views
    assert named_queries()[name].computed_at(store) is not None


@pytest.mark.kafka
def test_feedback_is_archived_once_and_the_command_shows_trends(pipeline: Pipeline) -> None:
    worker = pipeline.start_worker()
    now = datetime.now(UTC).replace(microsecond=0)
    pipeline.publish([ticket_event(event_id=f"e-{at}", ticket_id=f"T-{at}", occurred_at=now) for at in range(3)])
    word = Feedback(
        feedback_id="f-1",
        kind=FeedbackKind.REASSIGNMENT,
        ticket_id="T-1",
        source="helpdesk",
        value="network-ops",
        occurred_at=now + MINUTE,
    )
    bad = Outgoing(topics.FEEDBACK.name, b"T-1", b"nonsense")
    pipeline.publish([Outgoing(topics.FEEDBACK.name, b"T-1", pipeline.codec.encode(word)), bad])
    pipeline.wait_until_stored("ticket_decisions", 3)
    pipeline.wait_until_stored("feedback", 1)
    pipeline.wait_until_stored("dead_letters", 1)
    shown = pipeline.triage("query", "reassignments", "--fresh", "--json")
    assert shown.returncode == 0, shown.stderr
    rows = {row["team"]: row for row in json.loads(shown.stdout)}
    assert (rows["network-ops"]["tickets"], rows["network-ops"]["moved"]) == (1, 1)
    table = pipeline.triage("query", "volumes")
    assert table.returncode == 0, table.stderr
    worker.kill()
    # The offsets were not all committed: what is delivered again is left out.
    pipeline.start_worker()
    pipeline.publish([Outgoing(topics.FEEDBACK.name, b"T-2", pipeline.codec.encode(replace(word, feedback_id="f-2")))])
    pipeline.wait_until_stored("feedback", 2)
    assert pipeline.ask_store("SELECT count(), uniqExact(feedback_id) FROM feedback") == ((2, 2),)


def test_the_command_says_when_there_is_nothing_and_computes_by_itself_where_nobody_else_does(
    pipeline: Pipeline,
) -> None:
    assert pipeline.triage("migrate").returncode == 0
    empty = pipeline.triage("query", "sla")
    assert empty.returncode == 0, empty.stderr
    assert "no rows yet" in empty.stderr
