"""One incident for what belongs together, and no more pages an hour than a team can read.

Series of one outage open their alerts within minutes of each other: its category, its team, its product, the total.
They become one incident, owned by the team of the series that opened first. A team has a budget of pages; what is held
back is told as held back, never dropped.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from schemas.alerts import (
    IncidentClosed,
    IncidentEvent,
    IncidentJoined,
    IncidentOpened,
    PageHeldBack,
    PageSent,
    SpikeEvent,
    SpikeOpened,
    SpikeResolved,
)

_INCIDENTS = uuid.UUID("9d1f9f0e-6a57-5a38-9b0c-6d3a7f5f8a20")
"""The name space of incident ids: fixed for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSettings:
    """An alert joins an incident whose last one opened within `together`, where it is related to each that is open.

    A team gets at most `pages` pages within `per`.
    """

    together: timedelta = timedelta(minutes=30)
    pages: int = 4
    per: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Incident:
    incident_id: str
    team: str
    last_opened: datetime
    muted: bool = False
    """It opened with a muted series."""
    open_alerts: Mapping[str, str] = field(default_factory=dict[str, str])


class IncidentBook:
    """Joins alerts to incidents and pages their teams.

    `related` says whether an alert that opens and a series of which one is open may be of one outage.

    `muted_until` says when the mute of a series ends that is muted at a moment: an incident that it opens pages nobody,
    and series that are not muted do not join that one, so that an outage of something else pages.
    """

    def __init__(
        self,
        team_of: Callable[[str], str],
        related: Callable[[SpikeOpened, str], bool],
        settings: IncidentSettings | None = None,
        *,
        muted_until: Callable[[str, datetime], datetime | None] = lambda _series, _at: None,
    ) -> None:
        self._team_of = team_of
        self._muted_until = muted_until
        self._related = related
        self._settings = settings or IncidentSettings()
        self._incidents: dict[str, _Incident] = {}
        self._paged: dict[str, list[datetime]] = {}

    @property
    def open_incidents(self) -> Mapping[str, Collection[str]]:
        """The series of each incident that is open."""
        return {name: tuple(incident.open_alerts.values()) for name, incident in self._incidents.items()}

    def snapshot(self) -> dict[str, Any]:
        """The state as JSON has it."""
        return {
            "incidents": [
                [one.incident_id, one.team, one.last_opened.isoformat(), one.muted, list(one.open_alerts.items())]
                for one in self._incidents.values()
            ],
            "paged": {team: [at.isoformat() for at in sent] for team, sent in self._paged.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot."""
        self._incidents = {
            incident_id: _Incident(
                incident_id=incident_id,
                team=team,
                last_opened=datetime.fromisoformat(last_opened),
                muted=muted,
                open_alerts=dict(alerts),
            )
            for incident_id, team, last_opened, muted, alerts in state["incidents"]
        }
        self._paged = {team: [datetime.fromisoformat(at) for at in sent] for team, sent in state["paged"].items()}

    def take(self, event: SpikeEvent) -> list[IncidentEvent]:
        """What an event of a spike means for incidents and pages; updates of a spike mean nothing."""
        if isinstance(event, SpikeOpened):
            return self._opened(event)
        return self._resolved(event) if isinstance(event, SpikeResolved) else []

    def _opened(self, event: SpikeOpened) -> list[IncidentEvent]:
        until = self._muted_until(event.series, event.detected_at)
        for incident in self._incidents.values():
            if incident.muted and until is None:
                continue
            near = event.detected_at - incident.last_opened <= self._settings.together
            if near and all(self._related(event, series) for series in incident.open_alerts.values()):
                alerts = {**incident.open_alerts, event.alert_id: event.series}
                joined = replace(incident, open_alerts=alerts, last_opened=event.detected_at)
                self._incidents[incident.incident_id] = joined
                return [
                    IncidentJoined(
                        incident_id=incident.incident_id,
                        alert_id=event.alert_id,
                        series=event.series,
                        at=event.detected_at,
                    )
                ]
        incident_id = str(uuid.uuid5(_INCIDENTS, event.alert_id))
        team = self._team_of(event.series)
        self._incidents[incident_id] = _Incident(
            incident_id=incident_id,
            team=team,
            last_opened=event.detected_at,
            muted=until is not None,
            open_alerts={event.alert_id: event.series},
        )
        opened = IncidentOpened(
            incident_id=incident_id,
            alert_id=event.alert_id,
            series=event.series,
            team=team,
            at=event.detected_at,
        )
        if until is not None:
            reason = f"{event.series} is muted until {until:%Y-%m-%d %H:%M} UTC"
            return [opened, PageHeldBack(incident_id=incident_id, team=team, at=event.detected_at, reason=reason)]
        return [opened, self._page(incident_id, team, event.detected_at)]

    def _page(self, incident_id: str, team: str, at: datetime) -> PageSent | PageHeldBack:
        recent = [sent for sent in self._paged.get(team, []) if sent > at - self._settings.per]
        if len(recent) >= self._settings.pages:
            self._paged[team] = recent
            return PageHeldBack(
                incident_id=incident_id,
                team=team,
                at=at,
                reason=f"the team's pages are used up: {len(recent)} pages within {self._settings.per}",
            )
        self._paged[team] = [*recent, at]
        return PageSent(incident_id=incident_id, team=team, at=at)

    def _resolved(self, event: SpikeResolved) -> list[IncidentEvent]:
        for incident in self._incidents.values():
            if event.alert_id not in incident.open_alerts:
                continue
            left = {alert: series for alert, series in incident.open_alerts.items() if alert != event.alert_id}
            if left:
                self._incidents[incident.incident_id] = replace(incident, open_alerts=left)
                return []
            del self._incidents[incident.incident_id]
            return [IncidentClosed(incident_id=incident.incident_id, team=incident.team, at=event.resolved_at)]
        return []
