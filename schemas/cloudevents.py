"""CloudEvents 1.0 in Kafka's binary content mode: the attributes are headers, the value is the data alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from schemas.dead_letters import Header
from schemas.decisions import Assignment, Decision
from schemas.events import TicketEvent

TRACE_HEADERS = ("traceparent", "tracestate")
LATENCY_HEADER = "triage_latency_ms"
REQUESTER_HEADER = "triage_requester"
"""On a decision: a digest that tells requesters apart without naming them, so that people are counted once."""
_CONTENT_TYPE = ("content-type", b"application/avro")


def event_headers(event: TicketEvent) -> list[Header]:
    """The headers of a ticket event."""
    return _headers(
        event.event_id,
        f"/{event.source}",
        f"triage.ticket.{event.kind}.v1",
        event.occurred_at,
        event.ticket_id,
    )


def decision_headers(word: Decision | Assignment, *, latency_ms: int, trace: Iterable[Header]) -> list[Header]:
    """The headers of a decision or an assignment; of the event's own headers, `trace`, the trace context goes on."""
    kind = "decision" if isinstance(word, Decision) else "assignment"
    headers = _headers(word.decision_id, "/triage", f"triage.{kind}.made.v1", word.occurred_at, word.ticket_id)
    headers.append((LATENCY_HEADER, b"%d" % latency_ms))
    headers.extend(header for header in trace if header[0] in TRACE_HEADERS)
    return headers


def requester_header(event: TicketEvent) -> list[Header]:
    """The header that tells the requesters of a tenant apart; none where the source names nobody."""
    if not event.requester:
        return []
    digest = hashlib.blake2b(f"{event.tenant}\0{event.requester}".encode(), digest_size=8).hexdigest()
    return [(REQUESTER_HEADER, digest.encode())]


def _headers(event_id: str, source: str, event_type: str, time: datetime, subject: str) -> list[Header]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", event_type.encode()),
        ("ce_time", time.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()),
        ("ce_subject", subject.encode()),
        _CONTENT_TYPE,
    ]
