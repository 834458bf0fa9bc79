"""PagerDuty Events API v2: one incident at PagerDuty for each incident here, by its dedup key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from schemas.alerts import Alert, AlertStage
from sinks.notify.notices import Links, Severity, advice, cut, facts, headline, severity
from sinks.notify.receivers import Answer, Request, json_request

MOST_SUMMARY_CHARACTERS = 1024
MOST_KEY_CHARACTERS = 255
_MOST_FIELD_CHARACTERS = 1024
_ACCEPTED = 202

_SEVERITIES = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty:
    """One service of PagerDuty, by the routing key of its integration.

    Opened triggers, acknowledged acknowledges, resolved resolves, all by the same key. Nothing is sent for updates: the
    incident is open already, and one that a person has resolved at PagerDuty would be opened again.
    """

    url: str
    routing_key: str = field(repr=False)
    links: Links = field(default_factory=Links)
    name: str = "pagerduty"
    gap: timedelta = timedelta(milliseconds=500)
    """PagerDuty takes about 120 events a minute for each key."""
    resend_every: timedelta | None = None
    repeats: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not show."""
        return (self.routing_key,)

    def wants(self, alert: Alert) -> bool:
        """Whether anybody is to be woken: not where the alert pages nobody, nor once somebody has answered it."""
        begins = alert.stage in (AlertStage.OPENED, AlertStage.UPDATED)
        return alert.page and not (begins and alert.answers)

    def request(self, alert: Alert, _now: datetime) -> Request:
        """`POST /v2/enqueue`."""
        event: dict[str, Any] = {
            "routing_key": self.routing_key,
            "event_action": _ACTIONS[alert.stage],
            "dedup_key": dedup_key(alert.incident_id),
        }
        if alert.stage in (AlertStage.OPENED, AlertStage.UPDATED):
            event["payload"] = {
                "summary": cut(headline(alert), MOST_SUMMARY_CHARACTERS),
                "source": "triage",
                "severity": _SEVERITIES[severity(alert)],
                "timestamp": alert.opened_at.isoformat(timespec="milliseconds"),
                "component": cut(alert.subject, _MOST_FIELD_CHARACTERS),
                "group": cut(alert.team, _MOST_FIELD_CHARACTERS),
                "class": alert.kind.value,
                "custom_details": {
                    **{fact.label: fact.text for fact in facts(alert)},
                    "What to do": advice(alert),
                },
            }
            event["client"] = "triage"
            event["links"] = [{"href": link.url, "text": link.text} for link in self.links.of(alert)]
        return json_request(self.url, event)

    def accepted(self, answer: Answer) -> bool:
        """202 is PagerDuty's yes."""
        return answer.status == _ACCEPTED


_ACTIONS = {
    AlertStage.OPENED: "trigger",
    AlertStage.UPDATED: "trigger",
    AlertStage.ACKNOWLEDGED: "acknowledge",
    AlertStage.RESOLVED: "resolve",
}


def dedup_key(incident_id: str) -> str:
    """The incident's id where PagerDuty has room for it, else its SHA-256."""
    if len(incident_id) <= MOST_KEY_CHARACTERS:
        return incident_id
    return hashlib.sha256(incident_id.encode(errors="backslashreplace")).hexdigest()
