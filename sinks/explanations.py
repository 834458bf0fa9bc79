"""Why a ticket was decided as it was, from the store: its newest decision, and similar tickets that people judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.errors import NoSuchTicket
from sinks.rows import HEADS
from sinks.store import Store

LEAST_ALIKE = 0.3
"""Share of four-letter grams that two subjects have in common, from which on they are called similar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedHead:
    """One head's answer; `top` and `reasons` are pairs of text and number, best and strongest first."""

    head: str
    label: str
    probability: float
    human: bool
    model: str
    top: tuple[tuple[str, float], ...]
    reasons: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarTicket:
    """A ticket that a person judged, and how much its subject is like the explained one's, 0 to 1."""

    ticket_id: str
    source: str
    subject: str
    alike: float
    said: Mapping[str, str]
    """Field to what the person said last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The newest decision on a ticket, and what is like it."""

    ticket_id: str
    tenant: str
    source: str
    subject: str
    kind: str
    team: str
    queue: str
    band: str
    models: Mapping[str, str]
    occurred_at: datetime
    decided_at: datetime
    place: str
    """topic[partition]@offset of the event that it is on."""
    heads: tuple[ExplainedHead, ...]
    similar: tuple[SimilarTicket, ...]


def explain(
    store: Store, ticket_id: str, *, tenant: str | None = None, source: str | None = None, similar: int = 3
) -> Explanation:
    """The newest decision on a ticket. Raises NoSuchTicket where there is none, or several tickets have this id."""
    columns = (
        *("tenant", "source", "subject", "kind", "team", "queue", "band", "models", "occurred_at", "decided_at"),
        *("src_topic", "src_partition", "src_offset", "top", "reasons", "human"),
        *(name for head in HEADS for name in (head, f"{head}_probability")),
    )
    answer = store.query(
        f"SELECT {', '.join(columns)} FROM ticket_decisions "  # noqa: S608  names of ours
        "WHERE ticket_id = {ticket:String} AND ({tenant:String} = '' OR tenant = {tenant:String}) "
        "AND ({source:String} = '' OR source = {source:String}) "
        "ORDER BY src_topic, src_partition, src_offset DESC LIMIT 1 BY tenant, source",
        {"ticket": ticket_id, "tenant": tenant or "", "source": source or ""},
    )
    found = [dict(zip(columns, row, strict=True)) for row in answer.rows]
    if not found:
        raise NoSuchTicket(f"the store has no decision on a ticket {ticket_id!r}{_of(tenant, source)}")
    if len(found) > 1:
        owners = "; ".join(sorted(f"--tenant {row['tenant']} --source {row['source']}" for row in found))
        raise NoSuchTicket(f"several tickets are called {ticket_id!r}: choose by {owners}")
    (row,) = found
    return Explanation(
        ticket_id=ticket_id,
        **{name: row[name] for name in columns[:10]},
        place=f"{row['src_topic']}[{row['src_partition']}]@{row['src_offset']}",
        heads=tuple(_head(row, head) for head in HEADS),
        similar=_similar(store, row, ticket_id, similar),
    )


def _of(tenant: str | None, source: str | None) -> str:
    named = {"tenant": tenant, "source": source}
    return "".join(f" of {name} {value!r}" for name, value in named.items() if value)


def _head(row: Mapping[str, Any], head: str) -> ExplainedHead:
    return ExplainedHead(
        head=head,
        label=row[head],
        probability=row[f"{head}_probability"],
        human=head in row["human"],
        model=row["models"].get(head, ""),
        top=tuple((item["label"], item["probability"]) for item in row["top"].get(head, ())),
        reasons=tuple((item["text"], item["weight"]) for item in row["reasons"].get(head, ())),
    )


def _similar(store: Store, row: Mapping[str, Any], ticket_id: str, most: int) -> tuple[SimilarTicket, ...]:
    """Tickets of the same tenant that somebody gave feedback on that stands, most alike first."""
    answer = store.query(
        """
        SELECT
            ticket_id, source, subject, 1 - ngramDistanceCaseInsensitiveUTF8(subject, {subject:String}) AS alike, said
        FROM
        (
            SELECT ticket_id, source, argMax(subject, src_offset) AS subject
            FROM ticket_decisions
            WHERE tenant = {tenant:String} AND ticket_id != {ticket:String}
                AND ticket_id IN (SELECT ticket_id FROM standing_feedback WHERE tenant = {tenant:String})
            GROUP BY ticket_id, source
        ) AS decided
        INNER JOIN
        (
            SELECT ticket_id, source, CAST(groupArray((field, value)), 'Map(String, String)') AS said
            FROM
            (
                SELECT ticket_id, source,
                    multiIf(kind = 'correction', ifNull(field, ''), kind = 'reassignment', 'team', kind) AS field,
                    argMax(ifNull(value, toString(ifNull(score, 0))), (occurred_at, src_offset)) AS value
                FROM standing_feedback
                WHERE tenant = {tenant:String}
                GROUP BY ticket_id, source, field
            )
            GROUP BY ticket_id, source
        ) AS judged USING (ticket_id, source)
        WHERE alike >= {least:Float64}
        ORDER BY alike DESC, ticket_id
        LIMIT {most:UInt32}
        """,
        {
            "subject": row["subject"],
            "tenant": row["tenant"],
            "ticket": ticket_id,
            "least": LEAST_ALIKE,
            "most": most,
        },
    )
    return tuple(
        SimilarTicket(ticket_id=ticket, source=source, subject=subject, alike=alike, said=dict(said))
        for ticket, source, subject, alike, said in answer.rows
    )
