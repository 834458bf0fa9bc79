from __future__ import annotations

import json
import struct
from contextlib import suppress
from dataclasses import fields, replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import fastavro
import pytest
from examples import NOON, STRATEGIES, dead_letters, position, ticket_event
from fastavro.read import SchemaResolutionError
from fastavro.utils import generate_many
from hypothesis import given
from hypothesis import strategies as st

from schemas import words as packaged_words
from schemas.codec import Codec, to_json
from schemas.dead_letters import DeadLetter
from schemas.decisions import Decision
from schemas.errors import DeadLettered, InvalidEvent, NotFramed, Undecodable, UnknownSchema
from schemas.events import TicketEvent
from schemas.feedback import Feedback, FeedbackKind
from schemas.words import WORDS, Word

FIXTURES = Path(__file__).parent / "fixtures" / "avro"


@pytest.mark.parametrize("word", STRATEGIES, ids=lambda word: word.__name__)
def test_every_word_comes_back_as_it_was_encoded(word: type[Word]) -> None:
    codec = Codec()

    @given(STRATEGIES[word])
    def round_trip(value: Word) -> None:
        assert codec.decode(codec.encode(value), word) == value

    round_trip()


@given(st.data())
def test_every_word_can_be_shown_as_json(data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(sorted(STRATEGIES, key=lambda word: word.__name__)))
    value = data.draw(STRATEGIES[word])
    assert set(json.loads(json.dumps(to_json(value)))) == {item.name for item in fields(value)}


def test_every_word_has_a_strategy_and_a_schema_with_the_same_fields() -> None:
    assert set(STRATEGIES) == set(WORDS.values()) == set(packaged_words.current())
    for word, schema in packaged_words.current().items():
        assert [item["name"] for item in json.loads(schema.text)["fields"]] == [item.name for item in fields(word)]


def test_packaged_ids_are_distinct_and_stay_what_they_are() -> None:
    ids = {f"{schema.word.__name__}.v{schema.version}": schema.packaged_id for schema in packaged_words.packaged()}
    assert len(set(ids.values())) == len(ids)
    # Records that were written without a registry carry these for ever. Only add to them.
    recorded = json.loads((FIXTURES / "packaged_ids.json").read_text())
    assert ids == recorded


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.glob("*.bin")))
def test_records_of_every_earlier_version_stay_readable(name: str) -> None:
    word = WORDS[name.partition(".")[0]]
    value = Codec().decode((FIXTURES / name).read_bytes(), word)
    expected = json.loads((FIXTURES / name.replace(".bin", ".json")).read_text())
    shown = to_json(value)
    # Newer versions may have added fields, with defaults; what was written then must read the same.
    assert {key: shown[key] for key in expected} == expected


def test_every_version_has_a_recorded_record() -> None:
    recorded = {path.name.removesuffix(".bin") for path in FIXTURES.glob("*.bin")}
    names = {cls: name for name, cls in WORDS.items()}
    assert recorded == {f"{names[schema.word]}.v{schema.version}" for schema in packaged_words.packaged()}


def compatible(old: Any, new: Any) -> bool:
    """Whether records of schema `old` can be read with `new` (BACKWARD, as a schema registry calls it)."""
    try:
        for record in generate_many(old, 20):
            _through(record, old, new)
    except (SchemaResolutionError, ValueError, KeyError, TypeError):
        return False
    return True


def _through(record: Any, old: Any, new: Any) -> Any:
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, old, record)
    buffer.seek(0)
    return fastavro.schemaless_reader(buffer, old, new)


def test_each_version_of_a_word_can_read_the_one_before() -> None:
    by_word: dict[type[Word], list[Any]] = {}
    for schema in packaged_words.packaged():
        by_word.setdefault(schema.word, []).append(schema.parsed)
    for word, versions in by_word.items():
        for old, new in pairwise(versions):
            assert compatible(old, new), f"{word.__name__}: a newer schema cannot read an older one"


def changed(change: Any) -> Any:
    raw = json.loads(packaged_words.current()[TicketEvent].text)
    change(raw)
    return packaged_words.parse(json.dumps(raw))


def test_an_incompatible_change_is_noticed() -> None:
    old = packaged_words.current()[TicketEvent].parsed
    new_with_default = changed(lambda raw: raw["fields"].append({"name": "extra", "type": "string", "default": ""}))
    assert compatible(old, new_with_default)
    new_without_default = changed(lambda raw: raw["fields"].append({"name": "extra", "type": "string"}))
    assert not compatible(old, new_without_default)
    retyped = changed(lambda raw: raw["fields"][0].update(type="long"))
    assert not compatible(old, retyped)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (None, NotFramed),
        (b"", NotFramed),
        (b"\x00\x00", NotFramed),
        (b'{"subject": "hello"}', NotFramed),
        (b"\x00\x00\x00\x00\x01rest", UnknownSchema),
    ],
)
def test_what_is_not_framed_says_so(data: bytes | None, error: type[DeadLettered]) -> None:
    with pytest.raises(error):
        Codec().decode(data, TicketEvent)


def test_a_truncated_or_prolonged_record_is_undecodable() -> None:
    good = Codec().encode(ticket_event())
    for bad in (good[:-1], good[:20], good + b"\x00"):
        with pytest.raises(DeadLettered):
            Codec().decode(bad, TicketEvent)
    with pytest.raises(Undecodable, match="1 bytes follow"):
        Codec().decode(good + b"\x00", TicketEvent)


def test_a_record_of_another_word_is_undecodable() -> None:
    with pytest.raises(Undecodable, match="Decision"):
        Codec().decode(Codec().encode(ticket_event()), Decision)


@given(st.binary(max_size=200), st.integers(0, 300))
def test_no_bytes_raise_anything_but_a_dead_letter(noise: bytes, at: int) -> None:
    good = Codec().encode(ticket_event())
    for data in (noise, good[:at] + noise, good[:5] + noise, good[:at] + noise + good[at + len(noise) :]):
        with suppress(DeadLettered):
            Codec().decode(data, TicketEvent)


def test_ids_of_a_registry_are_written_and_packaged_ids_stay_readable() -> None:
    before = Codec().encode(ticket_event())
    codec = Codec()
    codec.assign(TicketEvent, 42)
    after = codec.encode(ticket_event())
    assert after[:5] == b"\x00\x00\x00\x00\x2a"
    assert codec.decode(before, TicketEvent) == codec.decode(after, TicketEvent) == ticket_event()


def test_a_writer_of_a_newer_schema_is_readable_once_its_schema_is_learned() -> None:
    raw = json.loads(packaged_words.current()[TicketEvent].text)
    raw["fields"].append({"name": "mood", "type": "string", "default": "calm"})
    newer = json.dumps(raw)
    body = BytesIO()
    record = {**to_json(ticket_event()), "occurred_at": NOON, "mood": "grim"}
    fastavro.schemaless_writer(body, packaged_words.parse(newer), record)
    codec = Codec()
    data = struct.pack(">bI", 0, 7) + body.getvalue()
    with pytest.raises(UnknownSchema):
        codec.decode(data, TicketEvent)
    codec.learn(7, newer)
    assert codec.decode(data, TicketEvent) == ticket_event()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ticket_id": " "}, "ticket_id is empty"),
        ({"event_id": ""}, "event_id is empty"),
        ({"occurred_at": NOON.replace(tzinfo=None)}, "no time zone"),
        ({"human_set": {"colour": "red"}}, "human_set names colour"),
    ],
)
def test_an_event_that_breaks_its_rules_says_which(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidEvent, match=message):
        ticket_event(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": FeedbackKind.CORRECTION, "field": "category"},
        {"kind": FeedbackKind.CORRECTION, "field": "colour", "value": "red"},
        {"kind": FeedbackKind.REASSIGNMENT},
        {"kind": FeedbackKind.RESOLUTION, "value": ""},
        {"kind": FeedbackKind.CSAT, "score": 6},
        {"kind": FeedbackKind.CSAT},
    ],
)
def test_feedback_without_its_own_fields_is_invalid(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidEvent):
        Feedback(feedback_id="f", ticket_id="t", source="s", occurred_at=NOON, **changes)


@given(dead_letters, st.lists(st.tuples(st.text(min_size=1, max_size=5), st.none() | st.binary(max_size=5))))
def test_a_dead_letter_is_read_back_from_its_headers(
    letter: DeadLetter, original: list[tuple[str, bytes | None]]
) -> None:
    headers = letter.headers(original)
    assert headers[: len(original)] == original
    assert DeadLetter.read(letter.key, letter.value, headers, failed_at=letter.failed_at) == letter


def test_the_headers_of_a_dead_letter_are_those_of_kip_1034() -> None:
    letter = DeadLetter(
        origin=position(offset=17, partition=3),
        stage="decode",
        exception="NotFramed",
        message="no value",
        stacktrace="...",
        key=None,
        value=None,
        failed_at=NOON,
    )
    names = [name for name, _ in letter.headers([("ce_id", b"1")])]
    added = ("exception", "message", "stacktrace", "topic", "partition", "offset")
    assert names == ["ce_id", *(f"__streams.errors.{name}" for name in added), "triage_stage"]
    # A letter that fails again names its newest failure alone.
    assert replace(letter, stage="redrive").headers(letter.headers()) == replace(letter, stage="redrive").headers()
