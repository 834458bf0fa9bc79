"""Files to events: what is found, what is refused, and that feeding twice is feeding once."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from typing import Any, TextIO, cast

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
            "application": "Lagerix",
            "created_at": "2026-03-02T13:00:00+01:00",
            "via": "chat",
        }
    )
    assert (found.ticket_id, found.subject, found.body) == ("4711", "Frage", "Wie geht das?")
    assert (found.language_hint, found.requester, found.customer_tier) == ("de", "a@example.com", "vip")
    assert (found.tags, found.channel, found.tenant, found.kind) == (("x", "y"), "chat", "acme", EventKind.CREATED)
    assert found.product == "Lagerix"
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


def results(lines: io.TextIOBase, layout: Layout = Layout.JSONL) -> list[TicketEvent | Rejected]:
    return [result for _, result in read_rows(cast("TextIO", lines), layout, reader())]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "half \\ud83d"}', "not UTF-8"),
        ('{"text": ' + "[" * 100_000 + "}", "not JSON"),
        ('{"text": "x", "other": ' + "[" * 20_000 + "]" * 20_000 + "}", "not JSON|nested"),
        ('{"text": "' + "x" * 1_500_000 + '"}', "15000.. bytes, 1000000 are the most"),
        ('{"text": "x", "id": ' + "9" * 6_000 + "}", "not JSON"),
        ('{"text": "x", "created_at": NaN}', "no time"),
        ('{"text": "x", "created_at": "9999-12-31T23:59:59-12:00"}', "no time"),
        ('{"text": "x", "id": "' + "x" * 1_001 + '"}', "event_id has 1018 characters"),
    ],
    ids=lambda value: value[:30],
)
def test_a_row_that_would_trip_a_parser_is_rejected_and_the_next_one_is_read(line: str, reason: str) -> None:
    bad, good = results(io.StringIO(line + '\n{"text": "good"}\n'))
    assert isinstance(bad, Rejected)
    assert re.search(reason, bad.reason), bad.reason
    assert (bad.line, isinstance(good, TicketEvent)) == (1, True)


def test_a_row_in_another_encoding_is_rejected_with_its_line_and_keeps_its_bytes() -> None:
    rows = 'id,text\n1,"Größe"\n2,ok\n'.encode("latin-1")
    bad, good = results(io.TextIOWrapper(io.BytesIO(rows), encoding="utf-8", errors="surrogateescape"), Layout.CSV)
    assert isinstance(bad, Rejected)
    assert (bad.line, bad.text.encode(errors="surrogateescape")) == (2, "1,Größe".encode("latin-1"))
    assert "save the file as UTF-8" in bad.reason
    assert isinstance(good, TicketEvent)


def test_a_large_field_of_a_csv_file_is_an_event_up_to_the_limit_of_a_row() -> None:
    large, huge, good = results(io.StringIO(f"id,text\n1,{'x' * 200_000}\n2,{'x' * 1_500_000}\n3,ok\n"), Layout.CSV)
    assert isinstance(large, TicketEvent)
    assert isinstance(huge, Rejected)
    assert isinstance(good, TicketEvent)
