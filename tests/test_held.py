"""What a person set on a ticket stands on its later events: by events and by feedback, and it can be made again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from examples import NOON, position, ticket_event
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline import Pipeline

from models.decide import EARLIER, Models, decide
from models.held import HOLDS_FOR, MOST_TICKETS, MOST_WORDS, HeldFields
from models.teaching import said_by_a_person
from schemas import topics
from schemas.codec import Codec
from schemas.decisions import Band, Decision, Reason
from schemas.errors import BadSnapshot, InvalidEvent
from schemas.events import HUMAN_FIELDS, EventKind, TicketEvent
from schemas.feedback import Feedback, FeedbackKind
from schemas.held import HumanWord, human_word
from sinks.snapshots import SnapshotFolder
from streams.decoding import Decoder
from streams.feed import outgoing
from streams.feedback_cli import feedback_record
from streams.held import LiveHeld
from streams.publish import Publisher

DAY_MS = 24 * 3_600_000


def word(number: int, field: str = "category", value: str = "billing", **changes: str) -> HumanWord:
    about = {"tenant": "default", "source": "webform", "ticket_id": "T-1", "feedback_id": f"f-{number}"}
    return HumanWord(**{**about, "field": field, "value": value, **changes})


def taking_back(number: int, revokes: str) -> HumanWord:
    return word(number, "", "", revokes=revokes)


def held(*said: TicketEvent | HumanWord, ticket: str = "T-1", at_ms: int = 1_000) -> dict[str, str]:
    fields = HeldFields()
    for at, item in enumerate(said):
        fields.take(item, at)
    return dict(fields.of(ticket_event(ticket_id=ticket), at_ms))


def test_what_was_set_last_holds_on_its_ticket_alone() -> None:
    set_by_event = ticket_event(human_set={"priority": "P1", "team": "sales"})
    assert held(set_by_event, word(1)) == {"priority": "P1", "team": "sales", "category": "billing"}
    assert held(set_by_event, word(1, "priority", "P4"))["priority"] == "P4"
    assert held(word(1, "priority", "P4"), set_by_event)["priority"] == "P1"
    assert held(set_by_event, ticket="T-2") == {}
    assert held(word(1, source="phone")) == held(word(1, tenant="other")) == {}
    assert held(ticket_event()) == {}


def test_what_is_taken_back_holds_no_more_and_what_was_before_it_does_again() -> None:
    assert held(word(1), taking_back(2, "f-1")) == {}
    assert held(word(1), word(2, value="network"), taking_back(3, "f-2")) == {"category": "billing"}
    assert held(ticket_event(human_set={"category": "access"}), word(1), taking_back(2, "f-1")) == {
        "category": "access"
    }
    assert held(word(1), taking_back(2, "f-1"), word(3)) == {"category": "billing"}


def test_words_that_are_written_again_after_a_crash_change_nothing() -> None:
    once = [word(1), word(2, value="network"), taking_back(3, "f-2"), word(4, "team", "sales")]
    assert held(*once, *once[:2]) == held(*once[:3], *once[1:]) == held(*once)


def test_a_word_holds_for_three_weeks_of_the_logs_time() -> None:
    assert held(word(1), at_ms=HOLDS_FOR.days * DAY_MS) == {"category": "billing"}
    assert held(word(1), at_ms=HOLDS_FOR.days * DAY_MS + 1) == {}
    assert topics.EVENTS.retention is not None
    assert topics.EVENTS.retention > HOLDS_FOR, "or what holds could not be made again from the log"


def test_what_is_known_has_an_end() -> None:
    fields = HeldFields()
    for number in range(MOST_TICKETS + 10):
        fields.take(ticket_event(ticket_id=f"T-{number}", human_set={"team": "sales"}), number)
    assert len(fields) == MOST_TICKETS
    assert not fields.of(ticket_event(ticket_id="T-9"), MOST_TICKETS)
    assert fields.of(ticket_event(ticket_id="T-10"), MOST_TICKETS)
    for number in range(3 * MOST_WORDS):
        fields.take(word(number, "language", f"l{number}", ticket_id="T-10"), number)
    assert fields.of(ticket_event(ticket_id="T-10"), MOST_TICKETS) == {"language": f"l{3 * MOST_WORDS - 1}"}


said = st.one_of(
    st.builds(
        lambda ticket, human: ticket_event(ticket_id=ticket, human_set=human),
        st.sampled_from(["T-1", "T-2"]),
        st.dictionaries(st.sampled_from(sorted(HUMAN_FIELDS)), st.sampled_from(["a", "b"]), max_size=3),
    ),
    st.builds(word, st.integers(0, 9), st.sampled_from(sorted(HUMAN_FIELDS)), st.sampled_from(["a", "b"])),
    st.builds(taking_back, st.integers(10, 15), st.integers(0, 9).map("f-{}".format)),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(said, max_size=20), st.integers(0, 20))
def test_what_is_read_back_goes_on_as_if_nothing_had_been(items: list[TicketEvent | HumanWord], cut: int) -> None:
    whole, begun = HeldFields(), HeldFields()
    for at, item in enumerate(items):
        whole.take(item, at)
    for at, item in enumerate(items[:cut]):
        begun.take(item, at)
    back = HeldFields.from_bytes(begun.to_bytes())
    for at, item in enumerate(items[cut:], cut):
        back.take(item, at)
    assert back.to_bytes() == whole.to_bytes()


@pytest.mark.parametrize(
    "damage", [b"", b"[]", b'{"format": "triage.held.0"}', b'{"format": "triage.held.1", "tickets": [1]}']
)
def test_what_is_damaged_is_refused(damage: bytes) -> None:
    with pytest.raises(BadSnapshot):
        HeldFields.from_bytes(damage)


@given(st.text(), st.text(min_size=1))
def test_a_word_comes_back_from_its_header(feedback_id: str, value: str) -> None:
    given_word = replace(word(1, value=value), feedback_id=feedback_id)
    assert human_word(None, [("ce_type", b"x"), given_word.header]) == given_word
    assert human_word(b"an event", [given_word.header]) is None


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b"\xff", b'"x"', b"[" * 100_000, json.dumps({"tenant": 1}).encode(), None]
)
def test_a_header_that_says_nothing_is_no_word(text: bytes | None) -> None:
    assert human_word(None, [("triage_human", text)]) is None
    assert human_word(None, []) is None
    assert human_word(None, [word(1, "requester", "x").header]) is None, "no field that a person sets"
    assert human_word(None, [word(1, "team", "").header]) is None


def feedback(kind: FeedbackKind, **changes: Any) -> Feedback:
    fields = {"feedback_id": "f-1", "ticket_id": "T-1", "source": "webform", "occurred_at": NOON, "value": "x"}
    return Feedback(**{"kind": kind, **fields, **changes})  # type: ignore[arg-type]  # a test's shorthand


def test_corrections_and_reassignments_hold_and_other_feedback_does_not() -> None:
    assert said_by_a_person(feedback(FeedbackKind.CORRECTION, field="language", value="fr")) == word(
        1, "language", "fr"
    )
    assert said_by_a_person(feedback(FeedbackKind.REASSIGNMENT, field="category")) == word(1, "team", "x")
    assert said_by_a_person(feedback(FeedbackKind.RETRACTION, value="f-0")) == taking_back(1, "f-0")
    assert said_by_a_person(feedback(FeedbackKind.RESOLUTION)) is None
    assert said_by_a_person(feedback(FeedbackKind.CSAT, score=1)) is None
    with pytest.raises(InvalidEvent, match="1001 characters"):
        said_by_a_person(feedback(FeedbackKind.CORRECTION, field="language", value="x" * 1_001))


def test_a_later_event_keeps_what_a_person_set_and_says_so(models: Models) -> None:
    event = ticket_event(kind=EventKind.MESSAGE_ADDED)
    before = decide(event, position(), models)
    assert Codec().encode(decide(event, position(), models, {})) == Codec().encode(before)
    after = decide(event, position(), models, {"priority": "P1", "category": "billing"})
    assert (after.priority.label, after.category.label) == ("P1", "billing")
    assert after.team == models.taxonomy.categories["billing"].team
    assert (after.priority.probability, after.priority.human, after.band) == (1.0, True, Band.AUTO)
    assert after.priority.reasons == after.category.reasons == (Reason(text=EARLIER, weight=0.0),)
    assert (after.intent, after.sentiment, after.language) == (before.intent, before.sentiment, before.language)
    moved = decide(event, position(), models, {"team": "sales"})
    assert (moved.team, moved.queue, moved.category.label) == ("sales", "sales", before.category.label)
    assert moved.category.reasons[-1] == Reason(text=f"team {EARLIER}", weight=0.0)
    own = decide(replace(event, human_set={"priority": "P4"}), position(), models, {"priority": "P1"})
    assert own.priority.label == "P4", "what the event itself says"
    assert own.priority.reasons[0].text == "set by a person"


def decisions(pipeline: Pipeline) -> dict[str, Decision]:
    found = (pipeline.codec.decode(record.value, Decision) for record in pipeline.read(topics.DECISIONS))
    return {decision.event_id: decision for decision in found}


@pytest.mark.kafka
@pytest.mark.slow
def test_what_a_person_said_holds_after_a_kill_and_is_made_again(pipeline: Pipeline, tmp_path: Path) -> None:
    def told(name: str, ticket: str, kind: EventKind = EventKind.MESSAGE_ADDED, **changes: Any) -> Decision:
        pipeline.publish([ticket_event(event_id=name, ticket_id=ticket, kind=kind, **changes)])
        pipeline.wait_for(name, lambda: name in decisions(pipeline))
        return decisions(pipeline)[name]

    def holding(ticket: str) -> list[HumanWord]:
        words = (human_word(record.value, record.headers) for record in pipeline.read(topics.EVENTS))
        return [item for item in words if item is not None and item.ticket_id == ticket]

    def say(number: int, ticket: str, kind: FeedbackKind, **changes: Any) -> None:
        pipeline.publish(
            [feedback_record(feedback(kind, feedback_id=f"f-{number}", ticket_id=ticket, **changes), pipeline.codec)]
        )
        pipeline.wait_for("the word", lambda: f"f-{number}" in {item.feedback_id for item in holding(ticket)})

    worker = pipeline.start_worker("--only", "triage", "--only", "learn")
    assert told("e-1", "T-1", EventKind.CREATED).category.label == "hardware"
    assert told("e-2", "T-2", EventKind.CREATED, human_set={"priority": "P1"}).priority.label == "P1"
    say(1, "T-1", FeedbackKind.CORRECTION, field="category", value="security")
    say(2, "T-1", FeedbackKind.REASSIGNMENT, value="sec-ops")
    say(3, "T-1", FeedbackKind.CORRECTION, field="language", value="en")
    after = told("e-3", "T-1", body="Danke, es ist dringend. Wann kommt jemand?")
    assert (after.category.label, after.team, after.language.label) == ("security", "sec-ops", "en")
    assert {reason.text for reason in after.category.reasons} == {EARLIER, f"team {EARLIER}"}

    # Whoever comes to it after a SIGKILL, with nothing at hand, reads it in the log.
    worker.kill()
    worker = pipeline.start_worker("--only", "triage", "--only", "learn", TRIAGE_DATA_DIR=str(tmp_path / "elsewhere"))
    assert told("e-4", "T-1").category.label == "security"
    assert told("e-5", "T-2").priority == told("e-6", "T-2").priority
    assert told("e-7", "T-2").priority.reasons[0].text == EARLIER
    say(4, "T-1", FeedbackKind.RETRACTION, value="f-1")
    last = told("e-8", "T-1", body="Der Drucker druckt wieder nicht.")
    assert (last.category.human, last.team) == (False, "sec-ops")
    assert worker.stop() == 0
    assert not pipeline.read(topics.DEAD_LETTERS)
    replay = pipeline.triage("replay", "--json")
    assert replay.returncode == 0, replay.stdout
    assert json.loads(replay.stdout)["verdicts"]["identical"] == 8
    shown = pipeline.triage("tail", "tickets.events", "--all", "--no-follow")
    assert "T-1 team=sec-ops holds" in shown.stdout
    assert "T-1 takes back f-1" in shown.stdout


@pytest.mark.kafka
async def test_what_is_kept_in_the_folder_is_gone_on_from_and_the_log_is_read_where_it_is_of_no_use(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    events = [
        ticket_event(
            event_id=f"e-{number}", ticket_id="T-1", human_set={"team": f"t-{number}"} if number % 3 == 0 else {}
        )
        for number in range(10)
    ]
    async with Publisher(pipeline.settings.producer_options()) as publisher:
        await publisher.publish([outgoing(event, pipeline.codec)._replace(partition=0) for event in events])
    records = [record for record in await pipeline._read(topics.EVENTS) if record.partition == 0]
    folder = SnapshotFolder(tmp_path / "held")

    def live() -> LiveHeld:
        return LiveHeld(pipeline.settings, Decoder(pipeline.codec, None), folder, every=4)

    async def seen(source: LiveHeld, offset: int) -> str:
        await source.come_to(0, offset)
        found = source.of(records[offset], events[offset])
        return found.get("team", "")

    async with live() as one:
        for record, event in zip(records[:7], events[:7], strict=True):
            await one.come_to(0, record.offset)
            one.take(record, event)
            await one.keep_now_and_then()
        assert [stored.learned for stored in folder.list("events-0")] == [4]
        assert await seen(one, 7) == "t-6"
        assert await seen(one, 2) == "t-0", "what is delivered again meets what held then"
        one.forget()
        assert await seen(one, 9) == "t-6", "others have worked on what lies between"
    async with live() as another:
        assert await seen(another, 9) == "t-6"
        assert another._kept == {0: 3}, "it went on from what is kept"
        assert await seen(another, 3) == "t-0"
    (stored,) = folder.list("events-0")
    (folder.folder / stored.file_name).write_bytes(b"damaged")
    async with live() as third:
        assert await seen(third, 9) == "t-6"
