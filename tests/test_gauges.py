"""Alerts on lag, dead letters and service levels: when they open, speak again and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from examples import NOON, alert, position, ticket_event

from models.decide import Models, decide
from models.gauges import GaugeBook, GaugeSettings, Reading
from schemas.alerts import Alert, AlertKind, AlertStage
from schemas.events import EventKind
from sinks.archive import Archive
from sinks.rows import Row, decision_row, event_row
from sinks.sla import TeamAtRisk, at_risk
from sinks.store import Store

MINUTE = timedelta(minutes=1)
SETTINGS = GaugeSettings(limit=100, hold=2 * MINUTE)


def book(*known: Alert, kind: AlertKind = AlertKind.CONSUMER_LAG) -> GaugeBook:
    made = GaugeBook(kind, SETTINGS)
    for word in known:
        made.take(word)
    return made


def told(watching: GaugeBook, values: Sequence[float], *, since: datetime = NOON, team: str = "ops") -> list[Alert]:
    """What a value a minute is told of."""
    found: list[Alert] = []
    for minute, value in enumerate(values):
        readings = [Reading(subject="agent=triage", value=value, team=team)] if value else []
        found += watching.observe(readings, since + minute * MINUTE)
    return found


def test_it_opens_once_it_was_high_for_a_while_and_ends_once_it_was_below_half_for_as_long() -> None:
    words = told(book(), [0, 120, 90, 150, 160, 170, 180, 60, 40, 60, 0, 0, 0])
    assert [(word.stage, word.at) for word in words] == [
        (AlertStage.OPENED, NOON + 5 * MINUTE),
        (AlertStage.RESOLVED, NOON + 12 * MINUTE),
    ], "one value that is low starts its time anew, and so does one that is not"
    assert words[0].opened_at == NOON + 3 * MINUTE
    assert (words[0].size.observed, words[0].size.expected) == (170, 100)
    assert words[0].page
    assert words[0].incident_id == words[1].incident_id


def test_it_speaks_again_when_it_has_doubled_and_every_half_hour() -> None:
    words = told(book(), [100, 100, 100, 150, 200, 250, 399, 400, *[100] * 40])
    stages = [(word.stage, (word.at - NOON) // MINUTE) for word in words]
    assert stages == [
        (AlertStage.OPENED, 2),
        (AlertStage.UPDATED, 4),
        (AlertStage.UPDATED, 7),
        (AlertStage.UPDATED, 37),
    ]


def test_who_knows_the_log_goes_on_with_its_incident_and_two_who_measure_at_once_tell_of_one() -> None:
    one, other = told(book(), [100, 100, 100]), told(book(), [300, 300, 300], since=NOON + timedelta(seconds=7))
    assert one[0].incident_id == other[0].incident_id
    later = told(book(*one), [100, 0, 0, 0], since=NOON + 5 * MINUTE)
    assert [(word.incident_id, word.stage) for word in later] == [(one[0].incident_id, AlertStage.RESOLVED)]
    again = told(book(*one, *later), [100, 100, 100], since=NOON + timedelta(hours=9))
    assert again[0].incident_id != one[0].incident_id
    assert again == told(book(*one, *later, *one), [100, 100, 100], since=NOON + timedelta(hours=9)), "told twice"


def test_another_who_told_the_end_is_believed_and_the_time_starts_anew() -> None:
    watching = book()
    opened = told(watching, [100, 100, 100])[0]
    watching.take(replace(opened, stage=AlertStage.RESOLVED, at=NOON + 3 * MINUTE))
    assert told(watching, [100, 100], since=NOON + 4 * MINUTE) == []
    watching.begin_anew()
    assert told(watching, [100], since=NOON + 9 * MINUTE) == [], "nobody looked between"


def test_pages_of_all_kinds_use_up_a_teams_budget() -> None:
    spikes = [alert(incident_id=f"i-{at}", team="ops", opened_at=NOON - at * MINUTE) for at in range(4)]
    (held,) = told(book(*spikes), [100, 100, 100])
    assert not held.page
    assert "4 pages within 1:00:00" in held.note
    assert told(book(*spikes), [100, 100, 100], team="others")[0].page
    assert told(book(*spikes), [100, 100, 100], since=NOON + timedelta(hours=2))[0].page


def test_a_kind_knows_nothing_of_the_others() -> None:
    lag = told(book(), [100, 100, 100])
    letters = told(book(*lag, kind=AlertKind.DEAD_LETTER_RATE), [100, 100, 100])
    assert letters[0].kind is AlertKind.DEAD_LETTER_RATE
    assert letters[0].incident_id != lag[0].incident_id


def test_tickets_whose_time_is_nearly_over_are_counted_for_their_team(store: Store, models: Models) -> None:
    now = datetime.now(UTC).replace(microsecond=0)

    def rows(ticket: str, minutes: int, *, priority: str = "P1", answered: EventKind | None = None) -> list[Row]:
        """A ticket that came so many minutes ago; P1 is to be answered within 15, and resolved within 240."""
        human = {"team": "network-ops", "priority": priority}
        event = ticket_event(
            event_id=f"{ticket}-1", ticket_id=ticket, human_set=human, occurred_at=now - minutes * MINUTE
        )
        place = len(found) * 2
        decision = decide(event, position(place), models)
        some = [event_row(event, position(place)), decision_row(decision, decided_at=now, latency_ms=1)]
        if answered is not None:
            later = ticket_event(
                event_id=f"{ticket}-2",
                ticket_id=ticket,
                kind=answered,
                requester="an agent",
                occurred_at=now - MINUTE,
            )
            some.append(event_row(later, position(place + 1)))
        return some

    assert at_risk(store, now) == []
    found: list[Row] = []
    for name, minutes, changes in (
        ("new", 5, {}),
        ("soon", 12, {}),
        ("sooner", 14, {}),
        ("missed", 16, {}),
        ("answered", 13, {"answered": EventKind.MESSAGE_ADDED}),
        ("slow", 200, {"answered": EventKind.MESSAGE_ADDED}),
        ("done", 200, {"answered": EventKind.RESOLVED}),
        ("patient", 100, {"priority": "P4"}),
    ):
        found += rows(name, minutes, **changes)
    by_place = sorted(found, key=lambda row: (row.table, row.position.offset))
    Archive(store).write(by_place, now=now)
    assert at_risk(store, now) == [TeamAtRisk(team="network-ops", tickets=3, examples=("sooner", "soon", "slow"))]
    assert at_risk(store, now + timedelta(minutes=10)) != at_risk(store, now)
