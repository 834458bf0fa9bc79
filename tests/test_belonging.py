"""Which tickets belong to an open incident, and what that changes of their decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from examples import NOON, alert, position, ticket_event
from hypothesis import given
from hypothesis import strategies as st

from models.belonging import LONGEST, incident_of, newest_of, opened
from models.decide import Models, decide
from schemas.alerts import CausePart, SpikeCause
from schemas.codec import Codec
from schemas.decisions import Band, Decision
from schemas.open_incidents import (
    INCIDENTS_HEADER,
    MOST_INCIDENTS,
    MOST_SERIES,
    OpenIncident,
    OpenIncidents,
    told_incidents,
)
from streams.decoding import Decoder
from streams.lessons import LessonReader
from streams.open_incidents import HOLDS_FOR, LiveIncidents
from streams.settings import Settings

VPN = OpenIncident(
    incident_id="i-vpn",
    team="network-ops",
    opened_at=NOON - timedelta(minutes=5),
    series=("all=tickets", "category=network"),
    terms=("drops", "tunnel", "tunnel drops", "vpn", "vpn tunnel"),
)
OF_NETWORK = {"all": ("tickets",), "category": ("network",), "team": ("network-ops",)}
OF_BILLING = {"all": ("tickets",), "category": ("billing",), "team": ("billing",)}


def belongs(
    subject: str, of: dict[str, tuple[str, ...]], *, after: timedelta = timedelta(0), **changes: object
) -> bool:
    incident = replace(VPN, **changes)  # type: ignore[arg-type]  the fields are right, as a whole
    return incident_of(subject, of, NOON + after, [incident]) is not None


def test_a_ticket_belongs_where_series_term_and_time_are_the_incidents() -> None:
    assert belongs("VPN again", OF_NETWORK)
    assert not belongs("Switch is broken", OF_NETWORK), "none of its words"
    assert not belongs("VPN again", OF_NETWORK, series=("category=hardware",)), "none of its series"
    assert not belongs("VPN again", OF_NETWORK, after=-timedelta(minutes=6)), "it came before the onset"
    assert belongs("VPN again", OF_NETWORK, after=LONGEST - timedelta(minutes=6))
    assert not belongs("VPN again", OF_NETWORK, after=LONGEST), "an end that was never told"


def test_a_ticket_of_another_team_needs_half_of_the_terms() -> None:
    assert belongs("Invoice: VPN tunnel drops", OF_BILLING)
    assert belongs("VPN tunnel", OF_BILLING), "three of five"
    assert not belongs("Invoice for VPN", OF_BILLING)


def test_a_ticket_of_one_of_the_incidents_products_or_tags_belongs_by_its_words() -> None:
    of = {**OF_BILLING, "product": ("Lagerix",), "tag": ("eu", "trial")}
    assert belongs("VPN tunnel", of, series=("product=Lagerix",))
    assert belongs("VPN tunnel", of, series=("tag=trial",))
    assert not belongs("VPN tunnel", of, series=("product=trial", "tag=Lagerix"))


def test_where_no_word_tells_the_incident_no_ticket_is_moved() -> None:
    assert belongs("Anything", OF_NETWORK, terms=())
    assert not belongs("Anything", OF_BILLING, terms=())


def test_of_several_incidents_it_is_the_one_that_the_words_tell_best() -> None:
    other = replace(VPN, incident_id="i-other", terms=("vpn",), opened_at=VPN.opened_at - timedelta(minutes=1))
    found = incident_of("VPN tunnel drops", OF_NETWORK, NOON, [other, VPN])
    assert found == (VPN, VPN.terms)
    assert incident_of("VPN", OF_NETWORK, NOON, [VPN, other]) == (other, ("vpn",)), "of equal ones, the first"


def test_only_terms_that_are_hardly_ever_there_otherwise_tell_an_incident() -> None:
    parts = [CausePart(text=text, observed=50, expected=mean, g2=100) for text, mean in (("vpn", 0.0), ("office", 5.1))]
    word = replace(alert(), cause=SpikeCause(terms=tuple(parts)))
    found = opened(word, ["team=b", "category=a"])
    assert (found.terms, found.series) == (("vpn",), ("category=a", "team=b"))
    assert len(opened(word, [f"tenant={number}" for number in range(99)]).series) == MOST_SERIES
    many = [*(f"tag={number}" for number in range(99)), "team=b", "tenant=a"]
    assert {"team=b", "tenant=a"} < set(opened(word, many).series), "tags take the place of no team"


def test_of_many_incidents_the_newest_are_told() -> None:
    many = [replace(VPN, incident_id=f"{at:02}", opened_at=NOON + timedelta(minutes=at)) for at in range(30)]
    assert [one.incident_id for one in newest_of(many)] == [f"{at:02}" for at in range(30 - MOST_INCIDENTS, 30)]


@given(
    st.lists(
        st.builds(
            OpenIncident,
            incident_id=st.text(max_size=50),
            team=st.text(max_size=50),
            opened_at=st.timedeltas(timedelta(0), timedelta(days=9999)).map(
                lambda since: NOON + timedelta(seconds=since // timedelta(seconds=1))
            ),
            series=st.lists(st.text(max_size=50), max_size=MOST_SERIES).map(tuple),
            terms=st.lists(st.text(max_size=50), max_size=5).map(tuple),
        ),
        max_size=5,
    )
)
def test_what_is_told_of_incidents_comes_back_from_the_header(incidents: list[OpenIncident]) -> None:
    told = OpenIncidents(through=7, incidents=tuple(incidents))
    assert told_incidents(None, [("ce_type", b"x"), told.header]) == told
    assert told_incidents(b"an event", [told.header]) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"format":2,"through":1,"incidents":[]}',
        b'{"format":1,"through":"1","incidents":[]}',
        b'{"format":1,"through":1,"incidents":[{}]}',
        b'{"format":1,"through":1,"incidents":[{"id":1,"team":"a","opened_at_ms":0,"series":[],"terms":[]}]}',
        b'{"format":1,"through":1,"incidents":[{"id":"1","team":"a","opened_at_ms":1e99,"series":[],"terms":[]}]}',
        b'{"format":1,"through":1,"incidents":[{"id":"1","team":"a","opened_at_ms":0,"series":"x","terms":[]}]}',
    ],
)
def test_a_header_that_cannot_be_read_tells_nothing(text: bytes) -> None:
    assert told_incidents(None, [(INCIDENTS_HEADER, text)]) is None


def test_a_record_holds_from_its_place_on_for_so_many_records(settings: Settings, models: Models) -> None:
    live = LiveIncidents(settings, LessonReader(settings, Decoder(Codec(), None)))
    live.take(OpenIncidents(through=3, incidents=(VPN,)), 0, 10)
    assert live.knowing(models, 0, 11).incidents == live.knowing(models, 0, 10 + HOLDS_FOR).incidents == (VPN,)
    assert live.knowing(models, 0, 11 + HOLDS_FOR) is models
    assert live.knowing(models, 1, 11) is models
    live.take(OpenIncidents(through=4), 0, 20)
    assert live.knowing(models, 0, 21) is models


def decided(models: Models, **fields: object) -> tuple[Decision, Decision]:
    """The decision on a ticket without an incident, and with VPN open."""
    event = ticket_event(**fields)
    return decide(event, position(), models), decide(event, position(), replace(models, incidents=(VPN,)))


def test_a_ticket_of_the_incident_names_it_and_goes_to_its_owner(models: Models) -> None:
    body = "You charged my credit card twice, please send a corrected invoice."
    without, having = decided(models, subject="Wrong invoice: VPN tunnel drops", body=body)
    assert without.incident_id is None
    assert without.queue != "network-ops"
    assert (having.incident_id, having.team, having.queue) == ("i-vpn", "network-ops", "network-ops")
    assert having.band is Band.SUGGEST
    reasons = [reason.text for reason in having.category.reasons if not reason.weight]
    assert reasons == ["open incident i-vpn: drops, tunnel, tunnel drops, vpn, vpn tunnel"]
    kept = ("priority", "intent", "sentiment", "language", "decision_id", "models")
    assert all(getattr(having, name) == getattr(without, name) for name in kept)
    assert having.category.label == without.category.label


def test_what_a_person_set_stays_and_the_ticket_names_the_incident(models: Models) -> None:
    without, having = decided(models, subject="VPN tunnel drops", body="At home.", human_set={"team": "sales"})
    assert (having.team, having.queue, having.band) == (without.team, without.queue, without.band) != ("network-ops",)
    assert having.incident_id == "i-vpn"


def test_other_tickets_are_decided_as_without_an_incident(models: Models) -> None:
    without, having = decided(models, subject="Wrong invoice", body="You charged my credit card twice.")
    assert having == without


def test_a_team_that_the_models_do_not_know_gets_nothing(models: Models) -> None:
    event = ticket_event(subject="VPN tunnel drops", body="The VPN drops.")
    incidents = (replace(VPN, team="nobody", series=("category=network",)),)
    having = decide(event, position(), replace(models, incidents=incidents))
    assert having.team == decide(event, position(), models).team
    assert having.incident_id == "i-vpn"
