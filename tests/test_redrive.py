"""`triage deadletters` on a real Kafka, with the real worker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from examples import ticket_event
from pipeline import Pipeline

from models.decide import decision_id
from schemas import topics
from schemas.dead_letters import Place, mark_headers
from schemas.decisions import Decision
from streams.feed import outgoing
from streams.publish import Outgoing

pytestmark = pytest.mark.kafka

GOOD = ticket_event(event_id="e-good", ticket_id="T-good")


def event_record(value: bytes | None, *, key: bytes = b"T-bad", partition: int = 2, **headers: bytes) -> Outgoing:
    return Outgoing(topic=topics.EVENTS.name, key=key, value=value, headers=list(headers.items()), partition=partition)


def listing(pipeline: Pipeline, *arguments: str) -> list[dict[str, Any]]:
    done = pipeline.triage("deadletters", "list", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def wait_for_letters(pipeline: Pipeline, number: int) -> None:
    pipeline.wait_for(f"{number} records of dead letters", lambda: len(pipeline.read(topics.DEAD_LETTERS)) >= number)


def test_a_redriven_event_keeps_its_identity_and_its_letter_is_marked(pipeline: Pipeline) -> None:
    empty = pipeline.triage("deadletters", "list")
    assert (empty.returncode, empty.stdout) == (0, "")
    assert "no dead letters" in empty.stderr
    assert "nothing to redrive" in pipeline.triage("deadletters", "redrive", "--yes").stderr

    # A good event under a schema id that nobody knows yet: the fault is on our side, and can be mended.
    encoded = pipeline.codec.encode(GOOD)
    unknown = event_record(b"\x00\x00\x00\x00\x63" + encoded[5:], key=b"T-good", ce_id=b"e-good")
    worker = pipeline.start_worker("--only", "triage")
    pipeline.publish([unknown, event_record(None), event_record(b"{}", partition=5)])
    wait_for_letters(pipeline, 3)

    every = listing(pipeline)
    assert {item["exception"] for item in every} == {"schemas.errors.UnknownSchema", "schemas.errors.NotFramed"}
    assert [item["value_bytes"] for item in every if item["key"] == "T-good"] == [len(encoded)]
    assert len(listing(pipeline, "--error", "NotFramed")) == 2
    assert len(listing(pipeline, "--partition", "5", "--stage", "decode", "--topic", topics.EVENTS.name)) == 1
    assert listing(pipeline, "--until", "1h") == listing(pipeline, "--since", "2100-01-01") == []
    assert len(listing(pipeline, "--since", "1h", "--limit", "2")) == 2
    table = pipeline.triage("deadletters", "list").stdout
    assert "UnknownSchema" in table
    assert "tickets.events.v1[5]@0" in table

    dry = pipeline.triage("deadletters", "redrive", "--ticket", "T-good", "--dry-run")
    assert (dry.returncode, dry.stderr.strip()) == (0, "would redrive 1 of 1")
    no = pipeline.triage("deadletters", "redrive", "--ticket", "T-good", stdin="n\n")
    assert no.returncode == 1
    assert "Redrive 1 dead letters?" in no.stderr
    assert len(pipeline.read(topics.EVENTS)) == 3

    (letter,) = listing(pipeline, "--ticket", "T-good")
    yes = pipeline.triage("deadletters", "redrive", letter["place"], "--json", stdin="y\n")
    assert yes.returncode == 0, yes.stderr
    assert json.loads(yes.stdout) == {"redriven": 1, "refused": {}, "skipped": 0, "dry_run": False}

    again = pipeline.read(topics.EVENTS)[2]
    assert (again.partition, again.key, again.value) == (2, b"T-good", unknown.value)
    assert again.headers == (("ce_id", b"e-good"), ("triage_redriven", letter["place"].encode()))
    # It fails again, which makes a letter of its own beside the mark.
    wait_for_letters(pipeline, 5)
    marks = [record for record in pipeline.read(topics.DEAD_LETTERS) if not dict(record.headers).get("triage_stage")]
    (mark,) = marks
    place = Place.parse(letter["place"])
    assert (mark.partition, mark.key, mark.value) == (place.partition, b"T-good", None)
    assert list(mark.headers) == mark_headers(place)

    state = {item["place"]: item["redriven_at"] is not None for item in listing(pipeline, "--ticket", "T-good")}
    assert state[letter["place"]] is True
    (newer,) = [found for found, redriven in state.items() if not redriven]
    skipped = pipeline.triage("deadletters", "redrive", letter["place"], "--yes")
    assert "1 left out: redriven already" in skipped.stderr
    assert "nothing to redrive" in skipped.stderr
    assert pipeline.triage("deadletters", "redrive", newer, "--yes").returncode == 0
    assert dict(pipeline.read(topics.EVENTS)[3].headers)["triage_redriven"] == newer.encode()
    assert pipeline.triage("deadletters", "redrive", letter["place"], "--again", "--yes").returncode == 0
    tailed = pipeline.triage("tail", topics.DEAD_LETTERS.name, "--all", "--no-follow").stdout
    assert f"redriven: {letter['place']}" in tailed
    assert worker.stop() == 0


def test_a_redriven_event_is_decided_once_its_fault_is_mended(pipeline: Pipeline) -> None:
    bad = event_record(b"\x00\x00\x00\x00\x63" + pipeline.codec.encode(GOOD)[5:], key=b"T-good")
    worker = pipeline.start_worker()
    pipeline.publish([bad])
    pipeline.wait_until_stored("dead_letters", 1)
    assert worker.stop() == 0
    # The schema is registered: here, by making the good bytes stand where the letter says.
    (letter,) = pipeline.read(topics.DEAD_LETTERS)
    mended = Outgoing(
        topic=topics.DEAD_LETTERS.name,
        key=letter.key,
        value=pipeline.codec.encode(GOOD),
        headers=list(letter.headers),
        partition=letter.partition,
    )
    pipeline.publish([mended])
    done = pipeline.triage("deadletters", "redrive", f"{letter.partition}:1", "--yes")
    assert done.returncode == 0, done.stderr
    pipeline.start_worker()
    pipeline.wait_until_stored("ticket_decisions", 1)
    (decision,) = [pipeline.codec.decode(record.value, Decision) for record in pipeline.read(topics.DECISIONS)]
    assert (decision.decision_id, decision.event.offset) == (decision_id(GOOD), 1)
    # The mark is no dead letter: the store has the one row.
    pipeline.wait_for("the archive to read the mark", lambda: len(pipeline.read(topics.DEAD_LETTERS)) == 3)
    assert pipeline.ask_store("SELECT count() FROM dead_letters") == ((1,),)


def test_letters_that_cannot_go_back_are_refused_and_the_others_redriven(pipeline: Pipeline) -> None:
    headers = [(f"__streams.errors.{name}", text) for name, text in (("partition", b"0"), ("offset", b"0"))]
    letters = [
        Outgoing(topic=topics.DEAD_LETTERS.name, key=b"a", value=b"v", headers=[], partition=0),
        Outgoing(
            topic=topics.DEAD_LETTERS.name,
            key=b"b",
            value=b"v",
            headers=[*headers, ("__streams.errors.topic", b"orders")],
            partition=0,
        ),
        Outgoing(
            topic=topics.DEAD_LETTERS.name,
            key=b"c",
            value=b"v",
            headers=[*headers, ("__streams.errors.topic", topics.EVENTS.name.encode())],
            partition=1,
        ),
    ]
    pipeline.publish(letters)
    dry = pipeline.triage("deadletters", "redrive", "--dry-run", "--json")
    assert json.loads(dry.stdout)["refused"].keys() == {"0:0", "0:1"}
    done = pipeline.triage("deadletters", "redrive", "--yes")
    assert done.returncode == 3
    assert "0:0 is refused: it does not say where" in done.stderr
    assert "orders, which is no topic of this pipeline" in done.stderr
    assert [(record.key, record.value) for record in pipeline.read(topics.EVENTS)] == [(b"c", b"v")]


def test_one_letter_is_shown_whole(pipeline: Pipeline, tmp_path: Path) -> None:
    worker = pipeline.start_worker("--only", "triage")
    encoded = pipeline.codec.encode(GOOD)
    pipeline.publish([event_record(b"\xff\xfe binary \x00", partition=0), event_record(encoded + b"!", partition=1)])
    wait_for_letters(pipeline, 2)
    assert worker.stop() == 0

    shown = pipeline.triage("deadletters", "show", "0:0", "--value", str(tmp_path / "value.bin"))
    assert shown.returncode == 0, shown.stderr
    for text in ("tickets.events.v1[0]@0", "decode", "NotFramed", "T-bad", "Traceback", "ff fe 20 62", ".. binary ."):
        assert text in shown.stdout, text
    assert (tmp_path / "value.bin").read_bytes() == b"\xff\xfe binary \x00"
    machine = json.loads(pipeline.triage("deadletters", "show", "1:0", "--json").stdout)
    assert (machine["exception"], machine["decoded"]) == ("schemas.errors.Undecodable", None)
    assert machine["headers"]["__streams.errors.offset"] == "0"

    # A value that can be read by now is shown as what it is.
    good = outgoing(GOOD, pipeline.codec)
    headers = [*good.headers, *pipeline.read(topics.DEAD_LETTERS)[0].headers]
    pipeline.publish([Outgoing(topics.DEAD_LETTERS.name, good.key, good.value, headers, partition=0)])
    readable = pipeline.triage("deadletters", "show", "0:1")
    assert "a TicketEvent" in readable.stdout
    assert GOOD.subject in readable.stdout

    missing = pipeline.triage("deadletters", "show", "0:99")
    assert (missing.returncode, "no dead letter 0:99" in missing.stderr) == (2, True)
    assert pipeline.triage("deadletters", "show", "nonsense").returncode == 2
    assert pipeline.triage("deadletters", "list", "--since", "nonsense").returncode == 2
