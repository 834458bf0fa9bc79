"""Files to events: what is found, what is refused, and that feeding twice is feeding once."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from examples import NOON

from schemas.errors import BadSettings
from schemas.events import EventKind, TicketEvent
from streams.feed import Layout, Rejected, RowReader, layout_of, read_rows


def reader(**columns: str) -> RowReader:
    return RowReader(source="export", tenant="acme", start=NOON, columns=columns)


def one(row: dict[str, Any], **columns: str) -> TicketEvent | Rejected:
    ((_, result),) = read_rows(io.StringIO(json.dumps(row)), Layout.JSONL, reader(**columns))
    return result


def event(row: dict[str, Any], **columns: str) -> TicketEvent:
    result = one(row, **columns)
    assert isinstance(result, TicketEvent), result
    return result


def test_the_usual_names_of_columns_are_found() -> None:
    found = event(
        {
            "id": 4711,
            "title": "Frage",
            "description": "Wie geht das?",
            "lang": "DE-at",
            "email": "a@example.com",
            "tier": "vip",
            "tags": ["x", "y"],
            "created_at": "2026-03-02T13:00:00+01:00",
            "via": "chat",
        }
    )
    assert (found.ticket_id, found.subject, found.body) == ("4711", "Frage", "Wie geht das?")
    assert (found.language_hint, found.requester, found.customer_tier) == ("de", "a@example.com", "vip")
    assert (found.tags, found.channel, found.tenant, found.kind) == (("x", "y"), "chat", "acme", EventKind.CREATED)
    assert found.occurred_at == NOON


def test_columns_can_be_named() -> None:
    assert event({"question": "Wie?", "text": "no"}, body="question").body == "Wie?"
    with pytest.raises(BadSettings, match="'colour' is no field"):
        reader(colour="x")


def test_what_a_person_set_is_taken_only_from_its_own_columns() -> None:
    found = event({"text": "x", "priority": "high", "queue": "IT", "human_priority": "P1"})
    assert found.human_set == {"priority": "P1"}


def test_the_same_file_gives_the_same_events_and_equal_lines_stay_apart() -> None:
    text = '{"text": "a"}\n{"text": "a"}\n'
    first = list(read_rows(io.StringIO(text), Layout.JSONL, reader()))
    assert first == list(read_rows(io.StringIO(text), Layout.JSONL, reader()))
    ids = {item.event_id for _, item in first if isinstance(item, TicketEvent)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-02T12:00:00Z", NOON),
        ("2026-03-02 12:00:00", NOON),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
        (NOON.timestamp(), NOON),
        (int(NOON.timestamp() * 1000), NOON),
    ],
)
def test_times_are_read_in_the_usual_forms(value: object, expected: datetime) -> None:
    assert event({"text": "x", "timestamp": value}).occurred_at == expected


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": 1}, "neither subject nor body"),
        ({"text": "x", "kind": "deleted"}, "kind is 'deleted'"),
        ({"text": "x", "created_at": "yesterday"}, "occurred_at is 'yesterday'"),
        ({"text": ["a", "b"]}, "body is list"),
        ({"text": "x", "timestamp": 1e30}, "occurred_at"),
    ],
)
def test_a_row_that_is_no_event_says_why(row: dict[str, Any], reason: str) -> None:
    rejected = one(row)
    assert isinstance(rejected, Rejected)
    assert reason in rejected.reason


def test_csv_with_quotes_newlines_and_wrong_rows() -> None:
    text = 'subject,body,tags\nHallo,"zwei\nZeilen","a;b"\nzu,viele,Spalten,hier\nnur Betreff\n'
    results = [item for _, item in read_rows(io.StringIO(text, newline=""), Layout.CSV, reader())]
    first, second, third = results
    assert isinstance(first, TicketEvent)
    assert (first.body, first.tags) == ("zwei\nZeilen", ("a", "b"))
    assert isinstance(second, Rejected)
    assert second.line == 4
    assert "more than the 3 columns" in second.reason
    assert isinstance(third, TicketEvent)
    assert third.subject == "nur Betreff"


def test_the_layout_follows_from_the_name() -> None:
    assert [layout_of(name) for name in ("a.csv", "b.JSONL", "c.ndjson")] == [Layout.CSV, Layout.JSONL, Layout.JSONL]
    with pytest.raises(BadSettings, match="--format"):
        layout_of("tickets.xlsx")
