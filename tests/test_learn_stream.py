"""Corrections that reach the next decision, on a real Kafka."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from examples import NOON, changing_lessons, position, ticket_event
from pipeline import Pipeline, scraped
from stress_learn import correction, wait_for_last_lesson

from models.decide import CODE_VERSION, Models, decide
from models.drift import words
from models.learned import Learned
from models.scores import log_odds
from models.sets import LESSONS, SET
from schemas import topics
from schemas.alerts import Alert, AlertStage
from schemas.decisions import CALIBRATED, Band, Decision
from schemas.events import EventKind, TicketEvent
from schemas.feedback import Feedback, FeedbackKind
from schemas.lessons import Lesson
from sinks.snapshots import SnapshotFolder
from streams import wiring
from streams.decoding import Decoder
from streams.demo.generator import generate_labelled
from streams.feedback_cli import feedback_record
from streams.lessons import NEVER, Checkpoints, LessonReader, LiveLessons, learn_all, recorded
from streams.publish import Outgoing, Publisher

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PRINTER = "Guten Tag, der Drucker im dritten Stock druckt seit heute früh nicht mehr. Nummer {}"


def ticket(name: str, body: str = PRINTER) -> TicketEvent:
    return ticket_event(
        event_id=f"e-{name}", ticket_id=name, body=body.format(name), occurred_at=NOON + timedelta(seconds=1)
    )


def decisions(pipeline: Pipeline) -> dict[str, Decision]:
    found = (pipeline.codec.decode(record.value, Decision) for record in pipeline.read(topics.DECISIONS))
    return {decision.ticket_id: decision for decision in found}


def decided(pipeline: Pipeline, *events: TicketEvent) -> dict[str, Decision]:
    pipeline.publish(events)
    names = {event.ticket_id for event in events}
    pipeline.wait_for(f"decisions on {names}", lambda: names <= decisions(pipeline).keys())
    return decisions(pipeline)


def replayed(pipeline: Pipeline, *arguments: str) -> dict[str, Any]:
    done = pipeline.triage("replay", "--json", *arguments)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def test_a_correction_changes_the_next_decision_survives_restarts_and_is_made_again(pipeline: Pipeline) -> None:
    worker = pipeline.start_worker("--only", "triage", "--only", "learn")
    first = [ticket(f"T-{number}") for number in range(20)]
    before = decided(pipeline, *first)
    assert {decision.category.label for decision in before.values()} == {"hardware"}
    assert not any(LESSONS in decision.models for decision in before.values())

    said = pipeline.triage(
        *("feedback", "correct", "T-3", "--field", "category", "--value", "billing", "--source", "webform")
    )
    assert said.returncode == 0, said.stderr
    assert "teaches category billing" in said.stdout
    wait_for_last_lesson(pipeline, 0)
    after = decided(pipeline, *(ticket(f"U-{number}") for number in range(20)))
    assert {after[f"U-{number}"].category.label for number in range(20)} == {"billing"}
    assert {after[f"U-{number}"].models[LESSONS] for number in range(20)} == {"0"}
    (taught,) = [pipeline.codec.decode(record.value, Lesson) for record in pipeline.read(topics.LESSONS)]
    assert (taught.ticket_id, taught.subject, taught.label) == ("T-3", "Netzwerkdrucker druckt nicht", "billing")

    # A worker that begins in the middle of the log knows what was in force there; so does one after a SIGKILL.
    worker.kill()
    worker = pipeline.start_worker("--only", "triage")
    again = decided(pipeline, *(ticket(f"V-{number}") for number in range(20)))
    assert {again[f"V-{number}"].category.label for number in range(20)} == {"billing"}
    assert worker.stop() == 0
    report = replayed(pipeline)
    assert report["verdicts"]["identical"] == 60
    assert report["good"]
    assert replayed(pipeline, "--partition", "2", "--from", "1h")["good"]


def test_a_correction_that_is_taken_back_is_as_if_it_had_not_been_said(pipeline: Pipeline) -> None:
    worker = pipeline.start_worker("--only", "triage", "--only", "learn")
    decided(pipeline, ticket("T-1"), ticket("T-2"))
    pipeline.publish([correction("T-1", "billing", pipeline)])
    wait_for_last_lesson(pipeline, 0)
    assert decided(pipeline, ticket("U-1"))["U-1"].category.label == "billing"

    by_ticket = ("feedback", "undo", "T-1", "--source", "webform", "--field", "category", "--actor", "ana")
    said = pipeline.triage(*by_ticket)
    assert said.returncode == 0, said.stderr
    assert "it taught category billing" in said.stdout
    wait_for_last_lesson(pipeline, 1)
    assert decided(pipeline, ticket("U-2"))["U-2"].category.label == "hardware"
    undone = pipeline.codec.decode(pipeline.read(topics.FEEDBACK)[-1].value, Feedback)
    assert (undone.kind, undone.value, undone.actor) == (FeedbackKind.RETRACTION, "f-T-1-billing", "ana")
    again = pipeline.triage(*by_ticket)
    assert again.returncode == 2
    assert "no such lesson that counts" in again.stderr
    assert pipeline.triage("feedback", "undo", "T-1").returncode == 2

    pipeline.publish([correction("T-2", "access", pipeline)])
    wait_for_last_lesson(pipeline, 2)
    assert decided(pipeline, ticket("U-3"))["U-3"].category.label == "access"
    assert pipeline.triage("feedback", "undo", "--id", "f-T-2-access").returncode == 0
    wait_for_last_lesson(pipeline, 3)
    mood = pipeline.triage(
        *("feedback", "correct", "T-1", "--source", "webform", "--field", "sentiment", "--value", "positive")
    )
    assert "it teaches sentiment positive" in mood.stdout, mood.stderr
    wait_for_last_lesson(pipeline, 4)
    assert decided(pipeline, ticket("U-5"))["U-5"].sentiment.label == "positive"
    of_the_mood = pipeline.triage("feedback", "undo", "T-1", "--source", "webform", "--field", "sentiment")
    assert "it taught sentiment positive" in of_the_mood.stdout, of_the_mood.stderr
    wait_for_last_lesson(pipeline, 5)
    assert decided(pipeline, ticket("U-6"))["U-6"].sentiment.label == "negative"
    worker.kill()
    worker = pipeline.start_worker("--only", "triage")
    assert decided(pipeline, ticket("U-4"))["U-4"].category.label == "hardware"
    assert worker.stop() == 0
    report = replayed(pipeline)
    assert report["good"], "older decisions are made again with what was known then"
    assert report["verdicts"]["identical"] == 8


def test_feedback_that_cannot_be_used_is_a_dead_letter_and_the_next_one_teaches(pipeline: Pipeline) -> None:
    csat = Feedback(
        feedback_id="csat", kind=FeedbackKind.CSAT, ticket_id="T-1", source="webform", score=1, occurred_at=NOON
    )
    pipeline.publish(
        [
            ticket("T-1"),
            Outgoing(topic=topics.FEEDBACK.name, key=b"T-1", value=b"no feedback"),
            correction("T-unknown", "billing", pipeline),
            correction("T-1", "invented", pipeline),
            feedback_record(csat, pipeline.codec),
            correction("T-1", "billing", pipeline),
        ]
    )
    worker = pipeline.start_worker("--only", "triage", "--only", "learn")
    wait_for_last_lesson(pipeline, 0)
    assert decided(pipeline, ticket("T-2"))["T-2"].category.label == "billing"
    pipeline.wait_for("the letters", lambda: len(pipeline.read(topics.DEAD_LETTERS)) == 3)
    letters = [dict(record.headers) for record in pipeline.read(topics.DEAD_LETTERS)]
    errors = {
        letter["__streams.errors.exception"].decode().rpartition(".")[2]: letter["__streams.errors.message"].decode()
        for letter in letters
    }
    assert errors.keys() == {"NotFramed", "UnknownTicket", "InvalidEvent"}
    assert "no event of ticket T-unknown" in errors["UnknownTicket"]
    assert "'invented' is not in the taxonomy" in errors["InvalidEvent"]
    assert {letter["triage_stage"] for letter in letters} == {b"learn"}
    assert worker.stop() == 0
    wrong = ("feedback", "correct", "T-1", "--source", "webform", "--field", "category", "--value", "invented")
    assert pipeline.triage(*wrong).returncode == 2


def test_what_people_did_with_a_ticket_teaches_weakly_where_they_looked_at_it(
    pipeline: Pipeline, models: Models
) -> None:
    by_band: dict[Band, TicketEvent] = {}
    for event, _ in islice(generate_labelled(seed=5, start=NOON), 200):
        if event.kind is EventKind.CREATED and not event.human_set:
            by_band.setdefault(decide(event, position(), models).band, event)
    tickets = list(by_band.values())
    suggested = by_band[Band.SUGGEST]
    moved = ticket("T-moved", "Phishing: jemand hat mein Passwort gestohlen. {}")

    def said(name: str, kind: FeedbackKind, event: TicketEvent, value: str) -> Outgoing:
        about = {"ticket_id": event.ticket_id, "source": event.source, "tenant": event.tenant}
        word = Feedback(feedback_id=name, kind=kind, value=value, occurred_at=NOON, **about)
        return feedback_record(word, pipeline.codec)

    def rated(name: str, event: TicketEvent, score: int) -> Outgoing:
        about = {"ticket_id": event.ticket_id, "source": event.source, "tenant": event.tenant}
        word = Feedback(feedback_id=name, kind=FeedbackKind.CSAT, score=score, occurred_at=NOON, **about)
        return feedback_record(word, pipeline.codec)

    worker = pipeline.start_worker("--only", "triage", "--only", "learn", TRIAGE_CSAT_TEACHES="true")
    made = decided(pipeline, *tickets, moved)
    assert {made[event.ticket_id].band for event in tickets} >= {Band.SUGGEST, Band.REVIEW}
    pipeline.publish([said(f"done-{event.ticket_id}", FeedbackKind.RESOLUTION, event, "fixed") for event in tickets])
    pipeline.publish([said("moved", FeedbackKind.REASSIGNMENT, moved, "sec-ops")])
    pipeline.publish([rated(f"rated-{score}", moved, score) for score in range(2, 6)])
    wait_for_last_lesson(pipeline, 2)
    found = [pipeline.codec.decode(record.value, Lesson) for record in pipeline.read(topics.LESSONS)]
    assert {(item.ticket_id, item.label, item.weak) for item in found} == {
        (suggested.ticket_id, made[suggested.ticket_id].category.label, True),
        ("T-moved", "security", True),
        ("T-moved", "positive", True),
    }
    assert worker.stop() == 0
    assert pipeline.read(topics.DEAD_LETTERS) == []


def test_how_audits_come_out_moves_the_next_decision_and_is_made_again(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "audited.toml"
    text = wiring.taxonomy_text(pipeline.settings)
    path.write_text(text.replace("[bands]\n", "[bands]\naudit = 1.0\n", 1), encoding="utf-8")
    at_work = ("--only", "triage", "--only", "learn")
    worker = pipeline.start_worker(*at_work, TRIAGE_TAXONOMY=str(path), TRIAGE_HEALTH_PORT="0")
    made = decided(pipeline, *(ticket(f"T-{number}") for number in range(4)))
    assert {decision.audited for decision in made.values()} == {True}
    own = made["T-0"].category
    assert CALIBRATED not in {reason.text for reason in own.reasons}

    def sure(name: str) -> float:
        judged = decided(pipeline, ticket(name))[name].category
        moved = [reason.weight for reason in judged.reasons if reason.text == CALIBRATED]
        assert judged.label == own.label
        assert log_odds(judged.probability) - sum(moved) == pytest.approx(log_odds(own.probability), abs=1e-4)
        return judged.probability

    def resolved(number: int) -> Outgoing:
        about = {"feedback_id": f"done-{number}", "ticket_id": f"T-{number}", "source": "webform"}
        return feedback_record(
            Feedback(kind=FeedbackKind.RESOLUTION, value="fixed", occurred_at=NOON, **about), pipeline.codec
        )

    pipeline.publish([resolved(0)])
    wait_for_last_lesson(pipeline, 0)
    confirmed = sure("U-0")
    assert confirmed > own.probability
    moves = Feedback(
        feedback_id="moved",
        ticket_id="T-1",
        source="webform",
        value="sec-ops",
        kind=FeedbackKind.REASSIGNMENT,
        occurred_at=NOON,
    )
    pipeline.publish([feedback_record(moves, pipeline.codec)])
    wait_for_last_lesson(pipeline, 1)
    doubted = sure("U-1")
    assert doubted < confirmed
    found = [pipeline.codec.decode(record.value, Lesson) for record in pipeline.read(topics.LESSONS)]
    assert [(item.teaches, {one.head: one.right for one in item.audit}) for item in found] == [
        (False, dict.fromkeys(("category", "intent", "priority"), True)),
        (False, {"category": False}),
    ]

    # What is taken back counts no more; whoever begins in the middle knows the same.
    done = pipeline.triage("feedback", "undo", "--id", "moved")
    assert "it said how an audit came out" in done.stdout, done.stderr
    wait_for_last_lesson(pipeline, 2)
    assert sure("U-2") == confirmed
    pipeline.publish([resolved(2)])
    wait_for_last_lesson(pipeline, 3)
    twice = sure("U-3")
    assert twice > confirmed
    pipeline.wait_for("the figures", lambda: 'triage_audits_outcomes{head="category",tenant=""} 2.0' in scraped(worker))
    assert "audit: category right" in pipeline.triage("tail", "models.lessons.v1", "--no-follow").stdout
    worker.kill()
    worker = pipeline.start_worker("--only", "triage", TRIAGE_TAXONOMY=str(path))
    assert sure("V-0") == twice
    assert worker.stop() == 0
    (version,) = {decision.models[SET] for decision in decisions(pipeline).values()}
    shown = json.loads(pipeline.triage("models", "show", version, "--json").stdout)["calibrated"]
    assert [(one["head"], one["tenant"], one["audits"]) for one in shown] == [
        (head, None, 2) for head in ("category", "intent", "priority")
    ]
    moved = shown[0]["scale"] * log_odds(own.probability) + shown[0]["shift"]
    assert log_odds(twice) == pytest.approx(moved, abs=1e-4)
    assert "calibrated by audits" in pipeline.triage("models", "show", version).stdout
    report = replayed(pipeline)
    assert report["good"]
    assert report["verdicts"]["identical"] == 9


def test_killed_learners_teach_each_correction_once(tmp_path: Path) -> None:
    script = Path(__file__).parent / "stress_learn.py"
    done = subprocess.run(
        [sys.executable, script, "--kills", "3", "--feedback", "60", "--folder", tmp_path],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "60 corrections, 12 taken back, 48 learned" in done.stdout


def test_killed_learners_tell_each_drift_with_the_same_words(pipeline: Pipeline) -> None:
    course = changing_lessons((160, 0.0), (100, 1.0), (150, 0.0))
    learned, due = Learned(), list[Alert]()
    for lesson in course:
        before = learned.drifts
        learned.learn(lesson)
        due += words(before, learned.drifts, lesson)
    assert {word.stage for word in due} >= {AlertStage.OPENED, AlertStage.RESOLVED}

    first = next(word for word in due if word.stage is AlertStage.OPENED)

    def told() -> set[bytes]:
        return {record.value for record in pipeline.read(topics.ALERTS)}

    worker = pipeline.start_worker("--only", "learn")
    for number, until in ((0, 200), (200, 240)):
        pipeline.publish([recorded(lesson, pipeline.codec) for lesson in course[number:until]])
        if until == 240:
            pipeline.wait_for("the first word", lambda: pipeline.codec.encode(first) in told())
            refused = pipeline.triage("alerts", "ack", first.incident_id)
            assert refused.returncode == 2
            assert "takes no answer" in " ".join(refused.stderr.split())
        worker.kill()
        worker = pipeline.start_worker("--only", "learn")
    pipeline.publish([recorded(lesson, pipeline.codec) for lesson in course[240:]])
    expected = {pipeline.codec.encode(word) for word in due}
    pipeline.wait_for("all words", lambda: told() >= expected)
    assert told() == expected
    listed = pipeline.triage("alerts", "list", "--json")
    still_open = {word["incident_id"] for word in json.loads(listed.stdout)}
    assert still_open == set(learned.drifts)
    assert worker.stop() == 0


async def test_a_start_takes_the_nearest_checkpoint_and_learns_the_rest(
    pipeline: Pipeline, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taught = [
        Lesson(
            feedback_id=f"f-{number}",
            feedback=position(number, topic=topics.FEEDBACK.name),
            head="category",
            label=("hardware", "billing", "access")[number % 3],
            tenant="default",
            source="webform",
            ticket_id=f"T-{number}",
            event=position(number),
            subject="Netzwerkdrucker druckt nicht",
            body=f"{PRINTER.format(number)} und {number % 7} weitere",
            occurred_at=NOON,
        )
        for number in range(25)
    ]
    async with Publisher(pipeline.settings.producer_options()) as publisher:
        await publisher.publish(recorded(lesson, pipeline.codec) for lesson in taught)
    folder = SnapshotFolder(tmp_path / "lessons")

    async def come_to(last: int, every: int = 10) -> tuple[str, int]:
        """The digest of what a worker knows that begins with the lessons up to `last`, and the first that it read."""
        async with LessonReader(pipeline.settings, Decoder(pipeline.codec, None)) as source:
            live = LiveLessons(source, Checkpoints(folder, every))
            await live.activate(last, 0)
            await live.prepare(0)
            learned = live.learned(0)
            assert learned is not None
            return learned.digest(), source._read_from

    def fold(last: int) -> str:
        learned = Learned()
        learn_all(learned, taught[: last + 1])
        return learned.digest()

    assert await come_to(11) == (fold(11), 0)
    (kept,) = folder.list("lessons")
    assert await come_to(24, every=NEVER) == (fold(24), 11), "only what comes after the checkpoint is read"
    assert await come_to(5, every=NEVER) == (fold(5), 0), "a checkpoint of later lessons is of no use"

    back = Lesson(
        **{name: getattr(taught[8], name) for name in ("tenant", "source", "ticket_id", "event", "occurred_at")},
        feedback_id="undo",
        feedback=position(99, topic=topics.FEEDBACK.name),
        head="",
        label="",
        subject="",
        body="",
        revokes="f-8",
    )
    async with Publisher(pipeline.settings.producer_options()) as publisher:
        await publisher.publish([recorded(back, pipeline.codec)])
    taught.append(back)
    assert await come_to(24, every=NEVER) == (fold(24), 11), "nothing is taken back by then"
    assert await come_to(25, every=NEVER) == (fold(25), 0), "the checkpoint holds what is taken back"

    folder.save("lessons", 21, Learned().to_bytes({"code": CODE_VERSION, "lesson": ["of another log"]}))
    assert (await come_to(24, every=NEVER))[0] == fold(24)
    assert "of other lessons" in caplog.text
    (folder.folder / kept.file_name).write_bytes(b"damaged")
    assert await come_to(24, every=NEVER) == (fold(24), 0)
    assert "an earlier one is taken" in caplog.text
