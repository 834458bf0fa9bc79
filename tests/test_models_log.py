"""Which models decide on which event is in the log, so that a decision can be made again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from itertools import islice

import pytest
from examples import NOON, position, ticket_event
from hypothesis import given
from hypothesis import strategies as st

from models.decide import CODE_VERSION, decide
from models.lineage import Lineage
from models.sets import SET, model_set, models_of
from schemas.codec import Codec, to_json
from schemas.errors import BadTaxonomy, ModelsNotReproducible
from schemas.model_log import FROM_THE_BEGINNING, ModelsActivated, Said, activated_version, said_with
from streams import wiring
from streams.decoding import Decoder
from streams.demo.generator import generate_labelled
from streams.lessons import LessonReader, LiveLessons
from streams.model_log import LiveModels, ModelLog
from streams.open_incidents import LiveIncidents
from streams.settings import Settings, load_settings

TEXT = wiring.taxonomy_text(load_settings())

# The decisions of each version of the code on a thousand generated tickets. Where a change makes the last line fail,
# it changes decisions: give models.decide.CODE_VERSION a new value and add a line.
DECISIONS = {
    "1": "27911ea5dd544504",
    "2": "27911ea5dd544504",  # what a person set stands on later events: the same, decided each by itself
}


def first(version: str) -> ModelsActivated:
    return ModelsActivated(version=version, partition=FROM_THE_BEGINNING, offset=FROM_THE_BEGINNING)


def test_an_event_meets_the_newest_models_activated_before_it() -> None:
    lineage = Lineage()
    assert lineage.at(0, 5) is None
    for activation in (first("a"), ModelsActivated(version="b", partition=0, offset=7)):
        lineage.note(activation)
    lineage.note(ModelsActivated(version="c", partition=0, offset=20))
    assert [lineage.at(0, offset) for offset in (0, 7, 8, 20, 21, 99)] == ["a", "a", "b", "b", "c", "c"]
    assert lineage.at(1, 99) == "a"
    assert lineage.activations(0) == ((7, "b"), (20, "c"))
    assert lineage.is_to_come("c", 0, 20)
    assert not lineage.is_to_come("c", 0, 21)
    assert lineage.is_to_come("c", 1, 99), "its record has not been reached there"
    assert not lineage.is_to_come("a", 0, 0), "the first of all has no record to come"


def test_what_was_live_before_is_what_a_set_took_over_from_also_where_it_was_told_twice() -> None:
    lineage = Lineage()
    assert (lineage.live(0), lineage.newest(0)) == (None, None)
    lineage.note(first("a"))
    assert (lineage.live(0), lineage.newest(0)) == ("a", None)
    lineage.note(ModelsActivated(version="a", partition=0, offset=3))
    assert lineage.newest(0) is None, "it took over from itself"
    for offset, version in ((7, "b"), (9, "b"), (20, "c")):
        lineage.note(ModelsActivated(version=version, partition=0, offset=offset))
    assert (lineage.live(0), lineage.newest(0)) == ("c", (20, "b"))
    lineage.note(ModelsActivated(version="b", partition=0, offset=21))
    lineage.note(ModelsActivated(version="b", partition=0, offset=22))
    assert (lineage.live(0), lineage.newest(0)) == ("b", (21, "c"))


@given(st.text(), st.text(), st.text())
def test_what_was_said_of_an_activation_comes_back_from_its_headers(by: str, reason: str, back_from: str) -> None:
    said = Said(by=by, reason=reason, back_from=back_from, at=NOON)
    assert said_with([("ce_type", b"x"), *said.headers], NOON) == said


def test_records_of_earlier_releases_say_nothing_and_strange_headers_stop_nobody() -> None:
    assert said_with([("triage_models", b"m-1")], None) == Said()
    assert said_with([("triage_by", None), ("triage_reason", b"\xff")], None) == Said(reason="\ufffd")


async def test_the_note_of_an_activation_carries_on_what_was_said_and_when(live: LiveModels) -> None:
    said = Said(by="Ada", reason="better", at=NOON)
    version = live._own.version
    one, two = [await live.activate(version, 0, 20, said) for _ in range(2)]
    assert one == two, "delivered again it is the same note"
    assert one.timestamp_ms == NOON.timestamp() * 1000
    assert said_with(one.headers or (), NOON) == said


def test_of_two_first_sets_the_one_that_stands_first_in_the_log_is_it() -> None:
    lineage = Lineage()
    lineage.note(first("a"))
    lineage.note(first("b"))
    assert lineage.at(3, 0) == "a"


@given(
    st.dictionaries(st.tuples(st.integers(0, 2), st.integers(0, 50)), st.sampled_from("bcd"), max_size=12),
    st.randoms(use_true_random=False),
)
def test_the_order_in_which_activations_are_read_does_not_matter(
    known: dict[tuple[int, int], str], random: object
) -> None:
    notes = [ModelsActivated(version=version, partition=p, offset=o) for (p, o), version in known.items()]
    shuffled = [*notes, *notes]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
    one, two = Lineage(), Lineage()
    one.note(first("a"))
    two.note(first("a"))
    for note in notes:
        one.note(note)
    for note in shuffled:
        two.note(note)
    for partition in range(3):
        for offset in range(52):
            newest = max(((o, v) for (p, o), v in known.items() if p == partition and o < offset), default=(0, "a"))
            assert one.at(partition, offset) == two.at(partition, offset) == newest[1]


def test_a_set_is_named_by_what_it_decides_with() -> None:
    mine = model_set(TEXT, NOON)
    assert mine == model_set(TEXT, NOON)
    assert model_set(TEXT + "\n# a comment\n", NOON).version != mine.version
    decision = decide(ticket_event(), position(), models_of(mine))
    assert decision.models[SET] == mine.version
    with pytest.raises(BadTaxonomy):
        model_set("no taxonomy", NOON)


def test_a_set_of_another_code_or_other_heads_is_not_made_again_in_silence() -> None:
    mine = model_set(TEXT, NOON)
    for other in (replace(mine, code="0"), replace(mine, heads={**mine.heads, "language": "another"})):
        with pytest.raises(ModelsNotReproducible, match=mine.version):
            models_of(other)


def test_a_recorded_taxonomy_that_this_release_cannot_read_is_another_releases() -> None:
    mine = model_set(TEXT, NOON)
    for code in (CODE_VERSION, "another"):
        with pytest.raises(ModelsNotReproducible):
            models_of(replace(mine, taxonomy="no taxonomy", code=code))


@pytest.fixture
def live(settings: Settings) -> LiveModels:
    """The models of a worker of this release, of which nothing is noted yet; another release has recorded `m-other`."""
    own = model_set(TEXT, NOON)
    codec = Codec()
    model_log = ModelLog(settings, Decoder(codec, None))
    model_log.sets |= {own.version: own, "m-other": replace(own, version="m-other", code="another")}
    source = LessonReader(settings, Decoder(codec, None))
    return LiveModels(model_log, LiveLessons(source), LiveIncidents(settings, source), codec, own, models_of(own))


async def test_a_worker_ends_where_a_newer_release_takes_over_and_decides_for_an_older_one(live: LiveModels) -> None:
    own = live._own.version
    live._log.lineage.note(first("m-other"))
    assert live.at(0, 5).versions[SET] == own, "the older release is gone, and its events wait"
    live._log.lineage.note(ModelsActivated(version=own, partition=0, offset=10))
    assert live.at(0, 5).versions[SET] == own
    await live.activate("m-other", 0, 20)
    assert live.at(0, 20).versions[SET] == own
    with pytest.raises(ModelsNotReproducible, match="newer release"):
        live.at(0, 21)
    live._log.lineage.note(ModelsActivated(version="m-lost", partition=1, offset=3))
    with pytest.raises(ModelsNotReproducible, match="has no set m-lost"):
        live.at(1, 4)


def test_an_activation_is_a_record_without_a_value_that_names_a_version() -> None:
    assert activated_version(None, [("triage_models", b"m-1")]) == "m-1"
    assert activated_version(b"x", [("triage_models", b"m-1")]) is None
    assert activated_version(None, [("triage_models", b"")]) is None
    assert activated_version(None, []) is None


def test_decisions_change_only_with_the_version_of_the_code() -> None:
    models = models_of(model_set(TEXT, NOON))
    digest = hashlib.sha256()
    for number, (event, _) in enumerate(islice(generate_labelled(seed=5, start=NOON), 1_000)):
        decision = replace(decide(event, position(number), models), models={})
        shown = to_json(decision)
        assert shown.pop("incident_id") is None, "a field that came later, of tickets of an open incident"
        assert (shown.pop("product"), shown.pop("tags")) == (event.product, list(event.tags)), "these came later, too"
        digest.update(json.dumps(shown).encode())
    assert DECISIONS[CODE_VERSION] == digest.hexdigest()[:16]
