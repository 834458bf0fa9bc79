"""Ten thousand bad inputs: each is a dead letter with its reason or, where it is still an event, decided."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
import tracemalloc
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from bad_inputs import KINDS, Bad, bad_inputs, other_words, raw_event, varint
from examples import NOON, ticket_event
from pipeline import Pipeline, at

from models.decide import decision_id
from schemas import topics, words
from schemas.codec import Codec
from schemas.dead_letters import DeadLetter, Header
from schemas.decisions import Decision
from schemas.errors import DeadLettered, InvalidEvent, TooLarge, Undecodable
from schemas.events import MOST_CHARACTERS, MOST_EVENT_BYTES, TicketEvent
from streams.feed import outgoing
from streams.publish import Outgoing

NUMBER = 10_000


def outcome(codec: Codec, bad: Bad) -> TicketEvent | DeadLettered:
    try:
        return codec.decode(bad.value, TicketEvent)
    except DeadLettered as error:
        return error


@pytest.mark.parametrize("seed", [1, 2])
def test_every_bad_input_is_a_dead_letter_or_a_valid_event(seed: int) -> None:
    codec = Codec()
    kinds: dict[str, Counter[str]] = {}
    for bad in bad_inputs(seed, NUMBER):
        found = outcome(codec, bad)
        kinds.setdefault(bad.kind, Counter())[type(found).__name__] += 1
        if isinstance(found, TicketEvent):
            assert not bad.certain, f"{bad.kind} was read as an event: {bad.value!r:.300}"
            assert codec.decode(codec.encode(found), TicketEvent) == found
        else:
            assert str(found), bad
    assert kinds.keys() == {name for name, _ in KINDS}
    every = sum(kinds.values(), Counter())
    # The generator reaches all reasons, and flipped bits do leave some events readable.
    assert every.keys() == {"NotFramed", "TooLarge", "UnknownSchema", "Undecodable", "InvalidEvent", "TicketEvent"}
    assert kinds["bits flipped"]["TicketEvent"] > 10
    assert kinds["sized blocks"].keys() == kinds["far away time"].keys() == kinds["large"].keys() == {"TicketEvent"}


def test_no_bad_input_takes_memory_beyond_a_few_times_its_size() -> None:
    codec = Codec()
    outcome(codec, Bad("warm", raw_event(), certain=False))
    for bad in bad_inputs(3, 3 * len(KINDS)):
        tracemalloc.start()
        outcome(codec, bad)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1_000_000 + 200 * len(bad.value or b""), bad.kind


def test_the_same_seed_gives_the_same_inputs() -> None:
    assert list(bad_inputs(5, 200)) == list(bad_inputs(5, 200)) != list(bad_inputs(6, 200))


@pytest.mark.parametrize("word", other_words(), ids=lambda word: type(word).__name__)
def test_flipped_bits_in_any_word_raise_nothing_but_dead_letters(word: Any) -> None:
    codec, good = Codec(), Codec().encode(word)
    dead = 0
    for bit in range(5 * 8, len(good) * 8):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        try:
            codec.decode(bytes(data), type(word))
        except DeadLettered:
            dead += 1
    assert 0 < dead < len(good) * 8


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_decision_with_a_number_that_is_none_is_invalid(number: float) -> None:
    decision = other_words()[0]
    assert isinstance(decision, Decision)
    for changed in (
        replace(decision, sentiment_score=number),
        replace(decision, category=replace(decision.category, probability=number)),
    ):
        with pytest.raises(InvalidEvent, match="number"):
            Codec().decode(Codec().encode(changed), Decision)


def test_an_event_may_be_as_large_as_its_record_and_no_larger() -> None:
    empty = len(Codec().encode(ticket_event(body="")))
    body = "x" * (MOST_EVENT_BYTES - empty - 2)
    assert Codec().decode(Codec().encode(ticket_event(body=body)), TicketEvent).body == body
    with pytest.raises(TooLarge, match="1048589 bytes"):
        Codec().decode(Codec().encode(ticket_event(body=body + "x")), TicketEvent)


@pytest.mark.parametrize("name", MOST_CHARACTERS)
def test_what_a_decision_carries_on_has_a_length(name: str) -> None:
    most = MOST_CHARACTERS[name]
    assert getattr(ticket_event(**{name: "x" * most}), name) == "x" * most
    with pytest.raises(InvalidEvent, match=f"{name} has {most + 1} characters"):
        ticket_event(**{name: "x" * (most + 1)})
    with pytest.raises(InvalidEvent, match=r"human_set\.team has 1001 characters"):
        ticket_event(human_set={"team": "x" * 1_001})


NULLS = [{"name": f"f{at}", "type": "null"} for at in range(3)]
BOMBS: dict[str, Any] = {
    "an array of nulls": {"type": "array", "items": "null"},
    "an array of empty records": {"type": "array", "items": {"type": "record", "name": "E", "fields": []}},
    "an array of records of nulls": {"type": "array", "items": {"type": "record", "name": "N", "fields": NULLS}},
    "an array of fixed of no bytes": {"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}},
    "a list without an end": {
        "type": "record",
        "name": "L",
        "fields": [{"name": "next", "type": ["null", "L"]}],
    },
    "a tree without an end": {
        "type": "record",
        "name": "T",
        "fields": [{"name": "children", "type": {"type": "array", "items": "T"}}],
    },
}


def with_extra(schema: Any) -> str:
    raw = json.loads(words.current()[TicketEvent].text)
    raw["fields"].insert(0, {"name": "extra", "type": schema})
    return json.dumps(raw)


def doubling(depth: int) -> Any:
    schema: Any = "null"
    for level in range(depth):
        fields = [{"name": "a", "type": schema}, {"name": "b", "type": f"triage.D{level - 1}" if level else "null"}]
        schema = {"type": "record", "name": f"D{level}", "fields": fields}
    return schema


@pytest.mark.parametrize("schema", [*BOMBS.values(), doubling(60)], ids=[*BOMBS, "a record of twice a record ..."])
def test_a_schema_of_the_registry_with_which_few_bytes_take_for_ever_is_refused(schema: Any) -> None:
    codec = Codec()
    with pytest.raises(Undecodable, match=r"nests in itself|take no bytes|nodes"):
        codec.learn(7, with_extra(schema))
    with pytest.raises(DeadLettered):
        codec.decode(struct.pack(">bI", 0, 7) + varint(2**62), TicketEvent)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": ["null", "string"]},
        {"type": "map", "values": "null"},
        {"type": "record", "name": "R", "fields": [*NULLS, {"name": "x", "type": {"type": "array", "items": "int"}}]},
        {"type": "fixed", "name": "F", "size": 16},
        doubling(5),
    ],
)
def test_other_schemas_of_the_registry_are_learned(schema: Any) -> None:
    codec = Codec()
    codec.learn(7, with_extra(schema))
    with pytest.raises(Undecodable):
        codec.decode(struct.pack(">bI", 0, 7) + varint(2**62), TicketEvent)


def test_every_packaged_schema_is_bounded() -> None:
    for schema in words.packaged():
        words.check_bounded(schema.parsed)


def test_a_schema_nested_a_hundred_thousand_deep_is_refused_and_kills_nothing() -> None:
    # In a process of its own: a stack that overflows inside a compiled library is no exception.
    program = """
from schemas.codec import Codec
from schemas.errors import Undecodable
for depth in (200, 900, 5_000, 100_000):
    deep = '{"type":"array","items":' * depth + '"int"' + "}" * depth
    text = '{"type":"record","name":"TicketEvent","namespace":"triage","fields":[{"name":"x","type":%s}]}' % deep
    try:
        Codec().learn(7, text)
    except Undecodable as error:
        print(depth, "refused")
    else:
        print(depth, "learned")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert done.stdout.splitlines()[-2:] == ["5000 refused", "100000 refused"]


@pytest.mark.kafka
@pytest.mark.slow
def test_ten_thousand_bad_inputs_stop_nothing_and_every_good_one_between_them_is_decided(pipeline: Pipeline) -> None:
    rng = random.Random(11)
    records: list[Outgoing] = []
    for number, bad in enumerate(bad_inputs(11, NUMBER)):
        records.append(
            Outgoing(
                topic=topics.EVENTS.name,
                key=rng.choice((None, b"", b"T-1", rng.randbytes(9))),
                value=bad.value,
                headers=[("bad", b"%d" % bad.certain), *rng.choice(HEADERS)],
                partition=rng.randrange(8),
                timestamp_ms=rng.choice((0, 0, 0, 1, 1_700_000_000_000)),
            )
        )
        if number % 4 == 0:
            good = outgoing(ticket_event(event_id=f"good-{number}", ticket_id=f"T-{number}"), pipeline.codec)
            records.append(good._replace(headers=[*good.headers, ("good", b"1")]))
    worker = pipeline.start_worker()
    for start in range(0, len(records), 1_000):
        pipeline.publish(records[start : start + 1_000])

    # What must become of each, by its place in the log.
    logged = pipeline.read(topics.EVENTS)
    assert len(logged) == len(records)
    bad_ones: dict[Any, tuple[Any, DeadLettered]] = {}
    decided: dict[Any, str] = {}
    events = 0
    for record in logged:
        found = outcome(pipeline.codec, Bad("", record.value, certain=False))
        headers = dict(record.headers)
        if isinstance(found, DeadLettered):
            assert "good" not in headers
            bad_ones[at(record)] = record, found
        else:
            assert headers.get("bad") != b"1"
            events += 1
            if found.kind.needs_decision:
                decided[at(record)] = decision_id(found)
    assert len(bad_ones) > 0.8 * NUMBER
    assert len(decided) > NUMBER / 4

    def count(table: str, what: str = "count()") -> int:
        return int(pipeline.ask_store(f"SELECT {what} FROM {table}")[0][0])  # noqa: S608  our own names

    distinct = len(set(decided.values()))
    pipeline.wait_for("all letters", lambda: count("dead_letters") == len(bad_ones), within_seconds=240)
    pipeline.wait_for("all events", lambda: count("ticket_events") == events, within_seconds=60)
    pipeline.wait_for(
        "all decisions", lambda: count("ticket_decisions", "uniqExact(decision_id)") == distinct, within_seconds=60
    )
    assert worker.process.poll() is None
    assert worker.stop() == 0
    assert "Traceback" not in worker.log()

    decisions = [pipeline.codec.decode(record.value, Decision) for record in pipeline.read(topics.DECISIONS)]
    assert Counter(decision.event for decision in decisions) == Counter(decided.keys())
    letters = pipeline.read(topics.DEAD_LETTERS)
    read = [DeadLetter.read(record.key, record.value, record.headers, failed_at=NOON) for record in letters]
    assert Counter(letter.origin for letter in read) == Counter(bad_ones.keys())
    for letter, raw in zip(read, letters, strict=True):
        record, error = bad_ones[letter.origin]
        assert (letter.stage, letter.exception) == ("decode", f"schemas.errors.{type(error).__name__}")
        assert letter.message
        assert (letter.key, letter.value) == (record.key, record.value)
        kept = [item for item in record.headers if not item[0].startswith(("__streams", "triage_stage"))]
        assert list(raw.headers[: len(kept)]) == kept


HEADERS: list[list[Header]] = [
    [],
    [("traceparent", None), ("", b"")],
    [("ce_id", b"\xff\xfe"), ("ce_id", b"twice")],
    [("triage_redriven", b"nonsense"), ("__streams.errors.offset", b"forged"), ("triage_stage", None)],
]
