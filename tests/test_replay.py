"""Decisions made again from the log, on a real Kafka: byte for byte what was emitted, whatever happened between."""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
from examples import NOON, ticket_event
from pipeline import Pipeline, at

from models.sets import SET, model_set
from models.taxonomy import parse_taxonomy
from schemas import topics
from schemas.codec import _to_record
from schemas.decisions import AUDITED, Assignment, Decision
from schemas.events import EventKind, TicketEvent
from schemas.model_log import ACTIVATION_HEADER
from schemas.topics import REVIEW_QUEUE
from schemas.words import packaged
from streams import wiring
from streams.model_log import activations, recorded
from streams.publish import Outgoing
from streams.settings import load_settings

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

TEXT = wiring.taxonomy_text(load_settings())
OTHER_TEXT = TEXT.replace('version = "', 'version = "other-', 1).replace("drucker", "apfelbaum")


def tickets(first: int, number: int) -> list[TicketEvent]:
    return [
        ticket_event(event_id=f"e-{item}", ticket_id=f"T-{item % 40}", body=f"Der Drucker druckt nicht. {item}")
        for item in range(first, first + number)
    ]


@pytest.fixture
def other_taxonomy(tmp_path: Path) -> Path:
    path = tmp_path / "other.toml"
    path.write_text(OTHER_TEXT, encoding="utf-8")
    return path


def by_schema(version: int, decision: Decision) -> bytes:
    """A decision as an earlier release wrote it."""
    earlier = next(schema for schema in packaged() if (schema.word, schema.version) == (Decision, version))
    out = BytesIO()
    out.write(struct.pack(">bI", 0, earlier.packaged_id))
    fastavro.schemaless_writer(out, earlier.parsed, _to_record(Decision)(decision))
    return out.getvalue()


def replayed(pipeline: Pipeline, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = pipeline.triage("replay", "--json", *arguments)
    assert done.returncode == code, done.stderr + done.stdout
    return json.loads(done.stdout)


def wait_until_decided(pipeline: Pipeline, number: int) -> None:
    def decided() -> bool:
        return len({record.key + dict(record.headers)["ce_id"] for record in pipeline.read(topics.DECISIONS)}) >= number

    pipeline.wait_for(f"{number} decisions", decided)


def test_models_take_over_at_an_event_and_everything_can_be_decided_again(  # noqa: PLR0915  one story
    pipeline: Pipeline, other_taxonomy: Path
) -> None:
    own, other = (model_set(text, NOON).version for text in (TEXT, OTHER_TEXT))
    pipeline.publish(tickets(0, 300))
    worker = pipeline.start_worker("--only", "triage")
    wait_until_decided(pipeline, 300)
    assert worker.stop() == 0

    # Another taxonomy takes over, in the middle of what is waiting; its worker is killed at its work.
    pipeline.publish(tickets(300, 400))
    worker = pipeline.start_worker("--only", "triage", TRIAGE_TAXONOMY=str(other_taxonomy))
    pipeline.publish(tickets(700, 300))
    pipeline.wait_for("some decisions", lambda: len(pipeline.read(topics.DECISIONS)) > 400)
    worker.kill()

    # A worker with the old settings goes on with what the log says, and says so.
    worker = pipeline.start_worker("--only", "triage")
    wait_until_decided(pipeline, 1_000)
    assert "others have replaced since" in worker.log()
    by_event: defaultdict[str, set[bytes]] = defaultdict(set)
    sets: dict[tuple[int, int], str] = {}
    for record in pipeline.read(topics.DECISIONS):
        decision = pipeline.codec.decode(record.value, Decision)
        by_event[decision.event_id].add(record.value)
        sets[decision.event.partition, decision.event.offset] = decision.models[SET]
    assert len(by_event) == 1_000
    assert all(len(values) == 1 for values in by_event.values()), "an event was decided in two ways"
    assert set(sets.values()) == {own, other}
    activated = {record.partition: record.offset for record in pipeline.read(topics.EVENTS) if record.value is None}
    assert len(activated) == topics.PARTITIONS
    assert all((version == other) == (offset > activated[number]) for (number, offset), version in sets.items())

    # Back by hand, at once and without a restart.
    assert f"{own} takes over" in pipeline.triage("models", "promote", own).stdout
    pipeline.publish(tickets(1_000, 100))
    wait_until_decided(pipeline, 1_100)
    last = {
        decision.event_id: decision.models[SET]
        for record in pipeline.read(topics.DECISIONS)
        if (decision := pipeline.codec.decode(record.value, Decision))
    }
    assert {last[f"e-{item}"] for item in range(1_000, 1_100)} == {own}
    assert worker.stop() == 0

    report = replayed(pipeline)
    assert report["good"]
    assert report["verdicts"]["identical"] == 1_100
    assert report["verdicts"]["nothing to decide"] == 2 * topics.PARTITIONS
    assert report["events"] == 1_100 + 2 * topics.PARTITIONS
    queues = [queue for queue, records in pipeline.assignments().items() if records]
    assigned = [replayed(pipeline, "--topic", topics.assignments(queue).name) for queue in queues]
    assert sum(item["verdicts"]["identical"] for item in assigned) == 1_100

    versions = {entry["version"]: entry for entry in json.loads(pipeline.triage("models", "list", "--json").stdout)}
    assert versions.keys() == {own, other}
    assert versions[own]["first"]
    assert versions[own]["live_in"] == list(range(topics.PARTITIONS))
    assert all(len(since) == 1 for since in versions[other]["since"].values())

    compared = replayed(pipeline, "--model", str(other_taxonomy))
    assert compared["good"], "what another model would decide does not judge what was emitted"
    assert compared["changed"] > 0
    assert any(change.startswith("category") for change in compared["changes"])
    assert replayed(pipeline, "--model", own, "--partition", "0")["changed"] < compared["changed"]
    unknown = pipeline.triage("replay", "--model", "m-nowhere")
    assert unknown.returncode == 2
    assert own in unknown.stderr


def shown(pipeline: Pipeline, version: str) -> dict[str, Any]:
    done = pipeline.triage("models", "show", version, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(pipeline: Pipeline, *arguments: str) -> str:
    done = pipeline.triage("models", *arguments)
    assert done.returncode in {1, 2}, done.stdout
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


def test_who_promotes_and_rolls_back_is_told_and_what_is_unclear_is_refused(
    pipeline: Pipeline, other_taxonomy: Path
) -> None:
    own, other = (model_set(text, NOON).version for text in (TEXT, OTHER_TEXT))
    partitions = list(range(topics.PARTITIONS))
    assert "no models are live yet" in refused(pipeline, "rollback")
    worker = pipeline.start_worker("--only", "triage")
    assert f"{own} has been live from the beginning" in refused(pipeline, "rollback")
    assert worker.stop() == 0
    worker = pipeline.start_worker("--only", "triage", TRIAGE_TAXONOMY=str(other_taxonomy))
    pipeline.publish(tickets(0, 40))
    wait_until_decided(pipeline, 40)
    assert {entry["by"] for entry in shown(pipeline, other)["activations"]} == {"a worker"}

    back = pipeline.triage("models", "rollback", "--by", "Ada", "--reason", "too many to billing: [red]")
    assert back.returncode == 0, back.stderr
    assert f"{own} takes over again in 8 partitions" in back.stdout
    assert f"in place of {other}, which had taken over on" in back.stdout
    pipeline.publish(tickets(40, 40))
    wait_until_decided(pipeline, 80)
    assert worker.stop() == 0
    decided = {
        decision.event_id: decision.models[SET]
        for record in pipeline.read(topics.DECISIONS)
        if (decision := pipeline.codec.decode(record.value, Decision))
    }
    assert {decided[f"e-{item}"] for item in range(40)} == {other}
    assert {decided[f"e-{item}"] for item in range(40, 80)} == {own}

    found = shown(pipeline, own)
    assert (found["live_in"], found["first"], found["trouble"]) == (partitions, True, None)
    assert set(found["lessons"].values()) == {None}
    assert found["taxonomy"]["categories"] == list(parse_taxonomy(TEXT).categories)
    marks = {
        (mark.partition, mark.offset): mark.timestamp for mark in pipeline.read(topics.EVENTS) if mark.value is None
    }
    for entry in found["activations"]:
        assert (entry["by"], entry["reason"]) == ("Ada", "too many to billing: [red]")
        assert entry["back_from"] == other
        assert datetime.fromisoformat(entry["at"]).timestamp() == marks[entry["partition"], entry["offset"]] // 1000
    as_text = pipeline.triage("models", "show", own).stdout
    assert "back from" in as_text
    assert "live in all 8 partitions" in as_text
    assert "is live by a rollback" in refused(pipeline, "rollback")

    # No worker runs: what nobody has come to yet counts, too.
    assert pipeline.triage("models", "promote", other, "--by", "Bo").returncode == 0
    assert shown(pipeline, other)["live_in"] == partitions
    assert f"{own} takes over again" in pipeline.triage("models", "rollback").stdout

    # What another release has recorded, or is live in some partitions only, is not gone back to.
    old = replace(model_set(TEXT, NOON), version="m-old", code="0")
    pipeline.publish(
        [recorded(old, pipeline.codec), *activations("m-old", partitions), *activations(other, partitions)]
    )
    for arguments in (("promote", "m-old"), ("rollback",)):
        assert "use the release that recorded them" in refused(pipeline, *arguments)
    assert "cannot decide with it" in pipeline.triage("models", "show", "m-old").stdout
    pipeline.publish(activations(own, partitions[:3]))
    assert "partitions have different live models" in refused(pipeline, "rollback")
    assert shown(pipeline, own)["live_in"] == partitions[:3]
    assert pipeline.triage("models", "activate", own).returncode == 0, "the earlier name of promote"
    assert shown(pipeline, own)["live_in"] == partitions
    assert "1,000 characters at most" in refused(pipeline, "promote", own, "--reason", "x" * 1_001)
    assert "is no recorded set" in refused(pipeline, "show", "m-nowhere")
    assert replayed(pipeline)["verdicts"]["identical"] == 80


def test_audited_tickets_wait_for_a_person_and_are_drawn_again(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "audited.toml"
    path.write_text(TEXT.replace("[bands]\n", "[bands]\naudit = 0.5\n", 1), encoding="utf-8")
    worker = pipeline.start_worker("--only", "triage", TRIAGE_TAXONOMY=str(path))
    pipeline.publish(tickets(0, 40))
    wait_until_decided(pipeline, 40)
    assert worker.stop() == 0
    made = [pipeline.codec.decode(record.value, Decision) for record in pipeline.read(topics.DECISIONS)]
    drawn = {decision.decision_id for decision in made if decision.audited}
    assert 5 < len(drawn) < 35
    reviewed = [pipeline.codec.decode(record.value, Assignment) for record in pipeline.assignments()[REVIEW_QUEUE]]
    assert drawn == {item.decision_id for item in reviewed if item.category.reasons[-1].text == AUDITED}
    assert replayed(pipeline)["verdicts"]["identical"] == 40
    assert replayed(pipeline, "--topic", topics.assignments(REVIEW_QUEUE).name)["good"]


def test_replay_finds_what_is_wrong_missing_and_too_much(pipeline: Pipeline) -> None:
    closed = ticket_event(event_id="closed", kind=EventKind.CLOSED)
    bad = Outgoing(topic=topics.EVENTS.name, key=b"T-1", value=b"bad")
    about = [replace(one, product="Lagerix", tags=("eu", "eu", " trial")) for one in tickets(0, 50)]
    pipeline.publish([*about, closed, bad])
    worker = pipeline.start_worker("--only", "triage")
    wait_until_decided(pipeline, 50)
    pipeline.wait_for("the dead letter", lambda: len(pipeline.read(topics.DEAD_LETTERS)) == 1)
    assert worker.stop() == 0
    good = replayed(pipeline)
    assert good["verdicts"] | {"identical": 50, "nothing to decide": 1, "dead letter": 1} == good["verdicts"]

    record = pipeline.read(topics.DECISIONS)[0]
    decision = pipeline.codec.decode(record.value, Decision)
    assert (decision.product, decision.tags) == ("Lagerix", ("eu", "trial"))
    for version in (1, 2):  # of which neither knows of products and tags
        value = by_schema(version, decision)
        pipeline.publish([Outgoing(topic=topics.DECISIONS.name, key=b"x", value=value, partition=record.partition)])
    again = replayed(pipeline)
    assert (again["verdicts"], again["emitted_again"]) == (good["verdicts"], good["emitted_again"] + 2)

    changed = pipeline.codec.encode(Decision(**{**_fields(decision), "team": "nobody"}))
    place = at(next(item for item in pipeline.read(topics.EVENTS) if dict(item.headers).get("ce_id") == b"closed"))
    extra = pipeline.codec.encode(Decision(**{**_fields(decision), "event": place}))
    for value, partition in ((changed, record.partition), (extra, place.partition)):
        pipeline.publish([Outgoing(topic=topics.DECISIONS.name, key=b"x", value=value, partition=partition)])
    report = replayed(pipeline, code=1)
    assert report["verdicts"]["different"] == 1
    assert report["verdicts"]["unexpected"] == 1
    assert any("team: 'nobody' then" in example["detail"] for example in report["examples"])
    shown = pipeline.triage("replay")
    assert shown.returncode == 1
    assert "different" in shown.stdout

    assert replayed(pipeline, "--from", "1h", code=1)["verdicts"] == report["verdicts"], (
        "offset 0 is a place like others"
    )
    assert replayed(pipeline, "--from", "9000w", code=1)["events"] == report["events"]
    without = pipeline.triage("replay", TRIAGE_APP_ID="another")
    assert without.returncode == 2
    assert "has committed nothing" in without.stderr
    assert pipeline.triage("replay", "--from", "2030-01-01").stdout.startswith("nothing to decide again")
    assert replayed(pipeline, "--to", "2020-01-01")["events"] == 0
    assert pipeline.triage("replay", "--from", "yesterday").returncode == 2


def test_models_that_were_never_recorded_do_not_take_over(pipeline: Pipeline) -> None:
    wrong: list[tuple[str, bytes | None]] = [(ACTIVATION_HEADER, b"m-nowhere")]
    pipeline.publish(
        [
            *tickets(0, 20),
            *(
                Outgoing(topic=topics.EVENTS.name, key=None, value=None, headers=wrong, partition=number)
                for number in range(topics.PARTITIONS)
            ),
            *tickets(20, 20),
        ]
    )
    worker = pipeline.start_worker("--only", "triage")
    wait_until_decided(pipeline, 40)
    pipeline.wait_for("the letters", lambda: len(pipeline.read(topics.DEAD_LETTERS)) == topics.PARTITIONS)
    assert worker.stop() == 0
    letters = pipeline.read(topics.DEAD_LETTERS)
    assert all(dict(letter.headers)["triage_stage"] == b"activate" for letter in letters)
    assert pipeline.triage("models", "promote", "m-nowhere").returncode == 2
    assert replayed(pipeline)["verdicts"]["dead letter"] == topics.PARTITIONS


def _fields(decision: Decision) -> dict[str, Any]:
    return {name: getattr(decision, name) for name in Decision.__dataclass_fields__}
