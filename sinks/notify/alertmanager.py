"""Alertmanager's API v2: an alert for each open incident, told again and again, as Prometheus does it.

Alertmanager takes an alert for resolved that it has not heard of until its `endsAt`. So each telling sets that four
resends ahead: one lost resend changes nothing, and a worker that is gone for good leaves no alert behind.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.alerts import Alert, AlertStage
from sinks.notify.notices import Links, advice, facts, headline, severity
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

    def wants(self, _alert: Alert) -> bool:
        """Whether to page is for Alertmanager's routes to say, by the label `page`."""
        return True

    def request(self, alert: Alert, now: datetime) -> Request:
        """`POST /api/v2/alerts` of one alert. Its labels are its identity: they stay the same while it lives."""
        labels = {
            "alertname": "Triage" + "".join(part.capitalize() for part in alert.kind.value.split("_")),
            "incident_id": alert.incident_id,
            "kind": alert.kind.value,
            "series": alert.subject,
            "team": alert.team,
            "severity": severity(alert).value,
            "page": "true" if alert.page else "false",
        }
        told: dict[str, Any] = {
            "labels": {name: value for name, value in labels.items() if value},
            "annotations": {
                "summary": headline(alert),
                "description": "\n".join(f"{fact.label}: {fact.text}" for fact in facts(alert)),
                "todo": advice(alert),
            },
            "startsAt": _rfc3339(min(alert.opened_at, now)),
            "endsAt": _rfc3339(self._ends_at(alert, now)),
        }
        links = self.links.of(alert)
        if links:
            told["generatorURL"] = links[0].url
        headers = {}
        if self.login is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
        return json_request(self.url.rstrip("/") + "/api/v2/alerts", [told], headers)

    def accepted(self, answer: Answer) -> bool:
        """200 is Alertmanager's yes."""
        return answer.status == _ACCEPTED

    def _ends_at(self, alert: Alert, now: datetime) -> datetime:
        if alert.stage is AlertStage.RESOLVED:
            return max(min(alert.at, now), alert.opened_at)
        return now + _ALIVE_FOR_RESENDS * (self.resend_every or timedelta(minutes=1))


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
