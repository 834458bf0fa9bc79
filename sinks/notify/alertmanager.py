"""Alertmanager's API v2: an alert for each open incident, told again and again, as Prometheus does it.

Alertmanager takes an alert for resolved that it has not heard of until its `endsAt`. So each telling sets that four
resends ahead: one lost resend changes nothing, and a worker that is gone for good leaves no alert behind.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from schemas.alerts import AlertStage
from sinks.notify.notices import Links, Notice, advice, facts, headline
from sinks.notify.receivers import Answer, Request, json_request

_ALIVE_FOR_RESENDS = 4
_ACCEPTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Alertmanager:
    """One Alertmanager by its URL; its own routes decide whom it tells."""

    url: str
    login: tuple[str, str] | None = field(default=None, repr=False)
    links: Links = field(default_factory=Links)
    name: str = "alertmanager"
    gap: timedelta = timedelta(milliseconds=100)
    resend_every: timedelta | None = timedelta(minutes=1)
    repeats: bool = True

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not show."""
        return () if self.login is None else (self.login[1],)

    def wants(self, _notice: Notice) -> bool:
        """Whether to page is for Alertmanager's routes to say, by the label `page`."""
        return True

    def request(self, notice: Notice, now: datetime) -> Request:
        """`POST /api/v2/alerts` of one alert. Its labels are its identity: they stay the same while it lives."""
        labels = {
            "alertname": "Triage" + "".join(part.capitalize() for part in notice.kind.value.split("_")),
            "incident_id": notice.incident_id,
            "kind": notice.kind.value,
            "series": notice.subject,
            "team": notice.team,
            "severity": notice.severity.value,
            "page": "true" if notice.page else "false",
        }
        alert = {
            "labels": {name: value for name, value in labels.items() if value},
            "annotations": {
                "summary": headline(notice),
                "description": "\n".join(f"{fact.label}: {fact.text}" for fact in facts(notice)),
                "todo": advice(notice),
            },
            "startsAt": _rfc3339(min(notice.opened_at, now)),
            "endsAt": _rfc3339(self._ends_at(notice, now)),
        }
        links = self.links.of(notice)
        if links:
            alert["generatorURL"] = links[0].url
        headers = {}
        if self.login is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
        return json_request(self.url.rstrip("/") + "/api/v2/alerts", [alert], headers)

    def accepted(self, answer: Answer) -> bool:
        """200 is Alertmanager's yes."""
        return answer.status == _ACCEPTED

    def _ends_at(self, notice: Notice, now: datetime) -> datetime:
        if notice.stage is AlertStage.RESOLVED:
            return max(min(notice.at, now), notice.opened_at)
        return now + _ALIVE_FOR_RESENDS * (self.resend_every or timedelta(minutes=1))


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
