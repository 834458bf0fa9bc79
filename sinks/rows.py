"""Words as rows of the store's tables. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.alerts import Alert, CausePart
from schemas.counts import BucketCounts
from schemas.dead_letters import DeadLetter
from schemas.decisions import Decision, Judgement, LogPosition
from schemas.events import TicketEvent
from schemas.feedback import Feedback

_MOST_PARTITIONS, _MOST_OFFSET = 1 << 16, 1 << 63
"""As the columns are."""

HEADS = ("category", "intent", "priority", "sentiment", "language")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of `table`: its values by column, and the place in the log that it stands for.

    A `late` one comes out of the order of its partition's offsets: it was a dead letter and has been redriven.
    """

    table: str
    position: LogPosition
    values: Mapping[str, Any]
    late: bool = False


def event_row(event: TicketEvent, position: LogPosition) -> Row:
    """The row of ticket_events for `event`, which stands at `position`."""
    values = {
        "event_id": event.event_id,
        "kind": event.kind.value,
        "ticket_id": event.ticket_id,
        "source": event.source,
        "tenant": event.tenant,
        "channel": event.channel,
        "product": event.product,
        "requester": event.requester,
        "subject": event.subject,
        "body": event.body,
        "language_hint": event.language_hint,
        "tags": list(event.tags),
        "customer_tier": event.customer_tier,
        "human_set": dict(event.human_set),
        "occurred_at": event.occurred_at,
    }
    return Row(table="ticket_events", position=position, values=values)


def decision_row(decision: Decision, *, decided_at: datetime, latency_ms: int) -> Row:
    """The row of ticket_decisions; it stands for the event decided on, so that a second emission is the same row."""
    judgements: dict[str, Judgement] = {head: getattr(decision, head) for head in HEADS}
    values: dict[str, Any] = {
        "decision_id": decision.decision_id,
        "event_id": decision.event_id,
        "kind": decision.kind.value,
        "ticket_id": decision.ticket_id,
        "source": decision.source,
        "tenant": decision.tenant,
        "channel": decision.channel,
        "product": decision.product,
        "tags": list(decision.tags),
        "customer_tier": decision.customer_tier,
        "subject": decision.subject,
        "sentiment_score": decision.sentiment_score,
        "top": {
            head: [(item.label, item.probability) for item in judgement.top] for head, judgement in judgements.items()
        },
        "reasons": {
            head: [(item.text, item.weight) for item in judgement.reasons] for head, judgement in judgements.items()
        },
        "human": [head for head, judgement in judgements.items() if judgement.human],
        "team": decision.team,
        "queue": decision.queue,
        "band": decision.band.value,
        "models": dict(decision.models),
        "incident_id": decision.incident_id,
        "occurred_at": decision.occurred_at,
        "decided_at": decided_at,
        "latency_ms": latency_ms,
    }
    for head, judgement in judgements.items():
        values[head] = judgement.label
        values[f"{head}_probability"] = judgement.probability
    return Row(table="ticket_decisions", position=decision.event, values=values)


def feedback_row(feedback: Feedback, position: LogPosition) -> Row:
    """The row of feedback for what a person said, which stands at `position`."""
    values = {
        "feedback_id": feedback.feedback_id,
        "kind": feedback.kind.value,
        "ticket_id": feedback.ticket_id,
        "source": feedback.source,
        "tenant": feedback.tenant,
        "decision_id": feedback.decision_id,
        "field": feedback.field,
        "value": feedback.value,
        "score": feedback.score,
        "actor": feedback.actor,
        "occurred_at": feedback.occurred_at,
    }
    return Row(table="feedback", position=position, values=values)


def dead_letter_row(letter: DeadLetter, stored_at: LogPosition) -> Row:
    """The row of dead_letters; a letter of a foreign writer that names no origin stands for its own place."""
    values = {
        "stage": letter.stage,
        "exception": letter.exception,
        "message": letter.message,
        "stacktrace": letter.stacktrace,
        "key": letter.key,
        "value": letter.value,
        "failed_at": letter.failed_at,
    }
    origin = letter.origin  # a foreign writer may say anything
    fits = letter.has_origin and origin.partition < _MOST_PARTITIONS and origin.offset < _MOST_OFFSET
    return Row(table="dead_letters", position=origin if fits else stored_at, values=values)


def counts_row(counts: BucketCounts, position: LogPosition) -> Row:
    """The row of bucket_counts; the record stands at `position` in the log of counts."""
    values = {
        "bucket": counts.bucket,
        "source_partition": counts.partition,
        "through": counts.through,
        "counts": dict(counts.counts),
    }
    return Row(table="bucket_counts", position=position, values=values)


def alert_row(alert: Alert, position: LogPosition) -> Row:
    """The row of alerts for a word on an incident, which stands at `position`."""
    values = {
        "incident_id": alert.incident_id,
        "kind": alert.kind.value,
        "stage": alert.stage.value,
        "subject": alert.subject,
        "team": alert.team,
        "opened_at": alert.opened_at,
        "at": alert.at,
        "observed": alert.size.observed,
        "expected": alert.size.expected,
        "score": alert.size.score,
        "children": _parts(alert.cause.children),
        "terms": _parts(alert.cause.terms),
        "examples": list(alert.cause.examples),
        "first_ticket": alert.cause.first_ticket,
        "requesters": alert.cause.requesters,
        "page": alert.page,
        "note": alert.note,
        "answers": [(one.answer_id, one.kind.value, one.actor, one.reason, one.at, one.until) for one in alert.answers],
    }
    return Row(table="alerts", position=position, values=values)


def _parts(parts: Sequence[CausePart]) -> list[tuple[str, float, float, float]]:
    return [(part.text, part.observed, part.expected, part.g2) for part in parts]


def as_columns(rows: Sequence[Row], *, ingested_at: datetime) -> tuple[list[str], list[list[Any]]]:
    """Column names and row values for an insert of `rows`, all of one table."""
    names = list(rows[0].values)
    places = ["src_topic", "src_partition", "src_offset", "ingested_at"]
    values = [
        [
            *(row.values[name] for name in names),
            row.position.topic,
            row.position.partition,
            row.position.offset,
            ingested_at,
        ]
        for row in rows
    ]
    return [*names, *places], values
