"""Tickets that miss their time soon, by team: what an alert on service levels rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sinks.store import Store

AT_RISK_FROM = 0.75
"""Share of a ticket's time (`sla_targets`) that has passed without an answer, or an end."""

MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamAtRisk:
    """How many tickets of a team have their time nearly over, and those that have the least left."""

    team: str
    tickets: int
    examples: tuple[str, ...]


def at_risk(store: Store, now: datetime) -> list[TeamAtRisk]:
    """The teams with tickets at risk at `now`, by name. A ticket whose time is over is missed, and at risk no more.

    What is an answer, an end, an owner and a priority is what `ticket_lives` calls so. Raises StoreUnavailable.
    """
    rows = store.query(_SQL, {"now": now, "share": AT_RISK_FROM, "most": MOST_EXAMPLES}).rows
    return [TeamAtRisk(team=team, tickets=int(tickets), examples=tuple(some)) for team, tickets, some in rows]


_SQL = """
WITH
    (
        SELECT mapFromArrays(
            groupArray(toString(priority)), groupArray((60. * response_minutes, 60. * resolution_minutes))
        )
        FROM sla_targets FINAL
    ) AS targets,
    (SELECT max(greatest(response_minutes, resolution_minutes)) FROM sla_targets FINAL) AS longest,
    toDateTime64({now:DateTime64(3, 'UTC')}, 3, 'UTC') AS moment,
    targets[priority] AS target,
    dateDiff('second', created_at, moment) AS passed,
    {share:Float64} AS share,
    if(NOT is_answered AND passed < target.1 AND passed >= share * target.1, target.1 - passed, 1e9) AS to_answer,
    if(NOT is_over AND passed < target.2 AND passed >= share * target.2, target.2 - passed, 1e9) AS to_end
SELECT
    team,
    count(),
    arrayMap(item -> item.2, arraySlice(arraySort(groupArray((least(to_answer, to_end), ticket_id))), 1, {most:UInt32}))
FROM
(
    SELECT
        tenant,
        ticket_id,
        minIf(at, what = 'created') AS created_at,
        argMinIf(who, at, what = 'created') AS asker,
        groupArrayIf((at, what, who), what IN ('message_added', 'resolved', 'closed')) AS steps,
        arrayExists(
            step -> step.1 >= created_at AND (step.2 != 'message_added' OR step.3 != asker), steps
        ) AS is_answered,
        maxIf(at, what IN ('resolved', 'closed')) AS ended,
        countIf(what IN ('resolved', 'closed')) > 0 AND ended >= maxIf(at, what = 'reopened') AS is_over,
        argMaxIf(team, (at, rank), team != '') AS team,
        argMaxIf(priority, (at, rank), priority != '') AS priority
    FROM
    (
        SELECT tenant, ticket_id, occurred_at AS at, 1 AS rank, toString(kind) AS what, requester AS who,
            human_set['team'] AS team, human_set['priority'] AS priority
        FROM ticket_events
        WHERE occurred_at > moment - toIntervalMinute(longest) AND occurred_at <= moment
        UNION ALL
        SELECT tenant, ticket_id, occurred_at, 0, 'decided', '', toString(team), toString(priority)
        FROM ticket_decisions
        WHERE occurred_at > moment - toIntervalMinute(longest) AND occurred_at <= moment AND kind = 'created'
        UNION ALL
        SELECT tenant, ticket_id, occurred_at, 2, 'said', '',
            if(kind = 'reassignment' OR field = 'team', ifNull(value, ''), ''),
            if(field = 'priority', ifNull(value, ''), '')
        FROM standing_feedback
        WHERE occurred_at > moment - toIntervalMinute(longest) AND occurred_at <= moment
    )
    GROUP BY tenant, ticket_id
    HAVING countIf(what = 'created') > 0
)
WHERE least(to_answer, to_end) < 1e9 AND team != ''
GROUP BY team
ORDER BY team
SETTINGS max_threads = 2
"""
