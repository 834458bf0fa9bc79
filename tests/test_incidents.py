"""Related alerts are one incident, and a team is paged no more often than it agreed to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from models.incidents import IncidentBook, IncidentSettings
from schemas.alerts import (
    IncidentClosed,
    IncidentJoined,
    IncidentOpened,
    PageHeldBack,
    PageSent,
    SpikeOpened,
    SpikeResolved,
    SpikeSize,
    SpikeUpdated,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
SIZE = SpikeSize(observed=50, expected=5, score=8)


def opened(series: str, minute: int) -> SpikeOpened:
    at = START + timedelta(minutes=minute)
    return SpikeOpened(
        alert_id=f"{series}@{minute}",
        series=series,
        onset=at,
        detected_at=at,
        window=timedelta(minutes=5),
        size=SIZE,
    )


def resolved(alert: SpikeOpened, minute: int) -> SpikeResolved:
    at = START + timedelta(minutes=minute)
    return SpikeResolved(
        alert_id=alert.alert_id,
        series=alert.series,
        onset=alert.onset,
        detected_at=alert.detected_at,
        ended_at=at,
        resolved_at=at,
        size=SIZE,
    )


def book(pages: int = 4) -> IncidentBook:
    def related(alert: SpikeOpened, series: str) -> bool:
        return "all" in (alert.series, series) or alert.series.partition("/")[0] == series.partition("/")[0]

    return IncidentBook(lambda series: series.partition("/")[0], related, IncidentSettings(pages=pages))


def test_related_alerts_become_one_incident_with_one_page() -> None:
    incidents = book()
    first, second, third = opened("vpn/login", 0), opened("vpn/tunnel", 5), opened("mail/smtp", 6)
    begun, page = incidents.take(first)
    assert isinstance(begun, IncidentOpened)
    assert isinstance(page, PageSent)
    assert (begun.team, page.incident_id) == ("vpn", begun.incident_id)
    (joined,) = incidents.take(second)
    assert isinstance(joined, IncidentJoined)
    assert joined.incident_id == begun.incident_id
    assert isinstance(incidents.take(third)[0], IncidentOpened), "another team's outage is another incident"
    assert incidents.take(SpikeUpdated(alert_id=first.alert_id, series="vpn/login", at=START, size=SIZE)) == []
    assert incidents.take(resolved(first, 20)) == []
    (closed,) = incidents.take(resolved(second, 30))
    assert isinstance(closed, IncidentClosed)
    assert closed.incident_id == begun.incident_id
    assert list(incidents.open_incidents.values()) == [("mail/smtp",)]


def test_an_alert_long_after_the_last_one_is_an_incident_of_its_own() -> None:
    incidents = book()
    (first, _), (second, _) = incidents.take(opened("vpn/login", 0)), incidents.take(opened("vpn/tunnel", 40))
    assert first.incident_id != second.incident_id


def test_pages_beyond_the_budget_are_held_back_and_told() -> None:
    incidents = book(pages=2)
    pages = [incidents.take(opened("vpn/login", minute))[1] for minute in (0, 31, 62, 93, 200)]
    assert [type(page) for page in pages] == [PageSent, PageSent, PageSent, PageSent, PageSent]
    incidents = book(pages=1)
    pages = [incidents.take(opened("vpn/login", minute))[1] for minute in (0, 31, 62)]
    assert [type(page) for page in pages] == [PageSent, PageHeldBack, PageSent]
    assert isinstance(pages[1], PageHeldBack)
    assert "1 pages within 1:00:00" in pages[1].reason


def test_a_muted_series_pages_nobody_and_what_is_not_muted_stays_apart_from_it() -> None:
    until = START + timedelta(hours=1)
    incidents = IncidentBook(
        lambda series: series.partition("/")[0],
        lambda _left, _right: True,
        IncidentSettings(pages=1),
        muted_until=lambda series, at: until if series.endswith("noise") and at < until else None,
    )
    (first, held) = incidents.take(opened("vpn/noise", 1))
    assert isinstance(held, PageHeldBack)
    assert "vpn/noise is muted until 2026" in held.reason
    assert isinstance(incidents.take(opened("mail/noise", 2))[0], IncidentJoined)
    other, page = incidents.take(opened("vpn/login", 3))
    assert isinstance(other, IncidentOpened)
    assert other.incident_id != first.incident_id
    assert isinstance(page, PageSent), "the mute has used up no page"
    again = IncidentBook(lambda _: "vpn", lambda _left, _right: True, IncidentSettings(pages=1))
    again.restore(incidents.snapshot())
    (joined,) = again.take(opened("vpn/tunnel", 4))
    assert joined.incident_id == other.incident_id, "a snapshot remembers which incident is a muted one"


def test_a_replay_opens_the_same_incident() -> None:
    assert book().take(opened("vpn/login", 0)) == book().take(opened("vpn/login", 0))
