"""A webhook of anybody's, signed as the Standard Webhooks specification says (standardwebhooks.com).

The receiver computes HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>` with the shared secret, compares it in
constant time, and refuses time stamps that are minutes old. `webhook-id` is the same whenever the same thing is told
again, so that it can leave out what it has seen.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.alerts import Alert
from sinks.notify.notices import Links, advice, facts, headline, severity
from sinks.notify.receivers import Answer, Request

_MESSAGES = uuid.UUID("0f3c7f7e-5a0d-5b54-9a56-1f6f6b0a7c11")
"""The name space of message ids: fixed for ever."""

_PREFIX = "whsec_"
_LEAST_KEY_BYTES, _MOST_KEY_BYTES = 24, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedWebhook:
    """One URL and the key that it shares with us."""

    url: str
    key: bytes = field(repr=False)
    links: Links = field(default_factory=Links)
    name: str = "webhook"
    gap: timedelta = timedelta(milliseconds=200)
    resend_every: timedelta | None = None
    repeats: bool = True

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not show."""
        return (base64.b64encode(self.key).decode(),)

    def wants(self, _alert: Alert) -> bool:
        """Whoever reads it decides: it is told everything."""
        return True

    def request(self, alert: Alert, now: datetime) -> Request:
        """The message, signed now: a later attempt has the same id and another time stamp."""
        body = json.dumps(message(alert, self.links), ensure_ascii=False, separators=(",", ":")).encode(
            errors="backslashreplace"
        )
        number, timestamp = message_id(alert), int(now.timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": number,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self.key, number, timestamp, body),
        }
        return Request(url=self.url, headers=headers, body=body)

    def accepted(self, answer: Answer) -> bool:
        """Any 2xx."""
        return 200 <= answer.status < 300  # noqa: PLR2004  the class of success


def signing_key(secret: str) -> bytes:
    """The bytes of a secret `whsec_<base64>`. Raises ValueError where it is none, or not of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not _LEAST_KEY_BYTES <= len(key) <= _MOST_KEY_BYTES:
        raise ValueError(
            f"write {_PREFIX} and then {_LEAST_KEY_BYTES} to {_MOST_KEY_BYTES} random bytes in base64, such as "
            f'from: echo "{_PREFIX}$(openssl rand -base64 32)"'
        )
    return key


def signature(key: bytes, number: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of the HMAC."""
    signed = hmac.digest(key, f"{number}.{timestamp}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(signed).decode()


def message_id(alert: Alert) -> str:
    """The same for the same word on the same incident, whoever tells it and however often."""
    name = f"{alert.incident_id}\n{alert.stage.value}\n{alert.at.isoformat()}"
    if alert.answers:
        name += f"\n{alert.answers[-1].answer_id}"
    return f"msg_{uuid.uuid5(_MESSAGES, name).hex}"


def message(alert: Alert, links: Links) -> dict[str, Any]:
    """`type`, `timestamp` and `data`, as the specification recommends. Times are UTC, in ISO 8601."""
    size, cause = alert.size, alert.cause
    return {
        "type": f"triage.alert.{alert.stage.value}",
        "timestamp": _iso(alert.at),
        "data": {
            "incident_id": alert.incident_id,
            "kind": alert.kind.value,
            "severity": severity(alert).value,
            "page": alert.page,
            "series": alert.subject,
            "team": alert.team,
            "opened_at": _iso(alert.opened_at),
            "observed": size.observed,
            "expected": size.expected,
            "score": size.score,
            "children": [_part(part) for part in cause.children],
            "terms": [_part(part) for part in cause.terms],
            "examples": list(cause.examples),
            "first_ticket": cause.first_ticket,
            "requesters": cause.requesters,
            "answers": [
                {
                    "kind": one.kind.value,
                    "actor": one.actor,
                    "reason": one.reason,
                    "at": _iso(one.at),
                    "until": None if one.until is None else _iso(one.until),
                }
                for one in alert.answers
            ],
            "headline": headline(alert),
            "facts": {fact.label: fact.text for fact in facts(alert)},
            "todo": advice(alert),
            "links": [{"text": link.text, "url": link.url} for link in links.of(alert)],
        },
    }


def _part(part: Any) -> dict[str, Any]:
    return {"text": part.text, "observed": part.observed, "expected": part.expected}


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
