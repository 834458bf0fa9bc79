"""Why a ticket was decided as it was: what the store says of it, and how the command prints that."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest
from examples import position, ticket_event
from typer.testing import CliRunner

from models.decide import Models, decide
from schemas import topics
from schemas.errors import NoSuchTicket
from schemas.events import EventKind
from schemas.feedback import Feedback, FeedbackKind
from sinks.archive import Archive
from sinks.explanations import explain
from sinks.rows import Row, decision_row, feedback_row
from sinks.store import Store
from streams.cli import app

TODAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


class Log:
    def __init__(self, models: Models) -> None:
        self.rows: list[Row] = []
        self._models = models

    def decided(self, ticket: str, subject: str, *, minute: int = 0, **changes: object) -> None:
        event = ticket_event(
            **{
                "event_id": f"{ticket}-{minute}",
                "ticket_id": ticket,
                "subject": subject,
                "body": "",
                "occurred_at": TODAY + timedelta(minutes=minute),
                **changes,
            }
        )
        decision = decide(event, position(len(self.rows)), self._models)
        self.rows.append(decision_row(decision, decided_at=TODAY, latency_ms=1))

    def said(
        self,
        ticket: str,
        value: str,
        field: str = "category",
        *,
        minute: int = 0,
        kind: FeedbackKind = FeedbackKind.CORRECTION,
    ) -> None:
        word = Feedback(
            feedback_id=f"{ticket}-{field}-{minute}",
            kind=kind,
            ticket_id=ticket,
            source="webform",
            field=field,
            value=value,
            occurred_at=TODAY + timedelta(minutes=minute),
        )
        self.rows.append(feedback_row(word, position(len(self.rows), topic=topics.FEEDBACK.name)))


@pytest.fixture
def told(store: Store, models: Models) -> Callable[[Callable[[Log], None]], None]:
    def tell(story: Callable[[Log], None]) -> None:
        log = Log(models)
        story(log)
        Archive(store).write(log.rows, now=TODAY)

    return tell


def _printers(log: Log) -> None:
    log.decided("T-1", "Drucker druckt nicht")
    log.decided("T-1", "Drucker druckt immer noch nicht", minute=5, kind=EventKind.MESSAGE_ADDED)
    log.decided("T-2", "Der Drucker druckt nicht mehr")
    log.decided("T-3", "Passwort vergessen")
    log.decided("T-4", "Drucker druckt nichts")
    for ticket, minute in (("T-2", 1), ("T-2", 2), ("T-3", 3)):
        log.said(ticket, "hardware" if minute > 1 else "access", minute=minute)
    log.said("T-2", "P2", "priority", minute=4)


def test_the_newest_decision_and_similar_tickets_that_people_judged(
    store: Store, told: Callable[[Callable[[Log], None]], None]
) -> None:
    told(_printers)
    found = explain(store, "T-1")
    assert (found.subject, found.kind) == ("Drucker druckt immer noch nicht", "message_added")
    assert found.place.endswith("@1")
    category = next(head for head in found.heads if head.head == "category")
    assert category.label == "hardware"
    assert category.top[0] == (category.label, category.probability)
    assert any("drucker" in text and weight > 0 for text, weight in category.reasons)
    # T-3 is about something else, and nobody has said anything about T-4.
    (similar,) = found.similar
    assert (similar.ticket_id, similar.said) == ("T-2", {"category": "hardware", "priority": "P2"})
    assert explain(store, "T-1", similar=0).similar == ()


def test_what_was_taken_back_is_no_judgement_of_a_similar_ticket(
    store: Store, told: Callable[[Callable[[Log], None]], None]
) -> None:
    def story(log: Log) -> None:
        _printers(log)
        log.said("T-4", "access", minute=5)
        log.said("T-2", "T-2-category-2", minute=6, kind=FeedbackKind.RETRACTION)
        log.said("T-4", "T-4-category-5", minute=6, kind=FeedbackKind.RETRACTION)

    told(story)
    (similar,) = explain(store, "T-1").similar
    assert (similar.ticket_id, similar.said) == ("T-2", {"category": "access", "priority": "P2"})  # as was said before


def test_a_ticket_that_is_not_there_and_two_of_one_name(
    store: Store, told: Callable[[Callable[[Log], None]], None]
) -> None:
    def story(log: Log) -> None:
        log.decided("T-1", "Rechnung doppelt", tenant="north")
        log.decided("T-1", "VPN bricht ab", tenant="south")

    told(story)
    with pytest.raises(NoSuchTicket, match="no decision on a ticket 'T-9' of tenant 'north'"):
        explain(store, "T-9", tenant="north")
    with pytest.raises(NoSuchTicket, match="--tenant north --source webform; --tenant south --source webform"):
        explain(store, "T-1")
    assert explain(store, "T-1", tenant="south").subject == "VPN bricht ab"


def test_the_command_prints_it(
    store: Store, told: Callable[[Callable[[Log], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(_printers)
    monkeypatch.setattr("streams.wiring.open_store", lambda _settings: nullcontext(store))
    shown = CliRunner().invoke(app, ["explain", "T-1"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for part in ("Drucker druckt immer noch nicht", "hardware", "drucker", "Similar tickets", "priority: P2"):
        assert part in shown.output
    answer = json.loads(CliRunner().invoke(app, ["explain", "T-1", "--json"]).output)
    assert [head["head"] for head in answer["heads"]] == ["category", "intent", "priority", "sentiment", "language"]
    assert answer["similar"][0]["ticket_id"] == "T-2"
