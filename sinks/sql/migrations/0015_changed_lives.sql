-- What is known of the life of each ticket that was created within the days that events are kept, whatever time it is:
-- the row that was computed last counts. `stays` are the stretches that are over, the `open_` ones go on.
CREATE TABLE IF NOT EXISTS life_facts
(
    tenant          LowCardinality(String),
    ticket_id       String,
    created_at      DateTime64(3, 'UTC'),
    category        LowCardinality(String),
    priority        LowCardinality(String),
    decided_team    LowCardinality(String),
    team            LowCardinality(String),
    answered_at     Nullable(DateTime64(3, 'UTC')),
    ended_at        Nullable(DateTime64(3, 'UTC')),
    reopens         UInt16,
    reassignments   UInt16,
    escalated       UInt8,
    lowered         UInt8,
    was_judged      UInt8,
    was_right       UInt8,
    stays           Array(Tuple(team LowCardinality(String), state LowCardinality(String), seconds UInt32)),
    open_team       LowCardinality(String),
    open_state      LowCardinality(String),
    open_since      DateTime64(3, 'UTC'),
    kept_from       DateTime('UTC'),
    through         DateTime('UTC'),
    computed_at     DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(computed_at)
ORDER BY (tenant, ticket_id)
TTL kept_from + INTERVAL 31 DAY;

-- Only tickets are computed again of which something was stored since the last time, or up to an hour before: clocks of
-- workers differ, and an insert may take its time. Each from all that is stored of it, so that what is delivered or sent
-- twice counts once, and what comes late as if it had come in time. The first time all of them are, without looking them up.
CREATE MATERIALIZED VIEW IF NOT EXISTS changed_lives REFRESH EVERY 30 MINUTE APPEND TO life_facts
EMPTY
AS
WITH
    (SELECT toDateTime(greatest(toUnixTimestamp(max(through)), 3600) - 3600, 'UTC') FROM life_facts) AS since,
    (
        SELECT max(newest) FROM
        (
            SELECT max(ingested_at) AS newest FROM ticket_events
            UNION ALL SELECT max(ingested_at) FROM ticket_decisions
            UNION ALL SELECT max(ingested_at) FROM feedback
        )
    ) AS newest,
    touched AS  -- of whatever tenant: one more that is computed again does no harm
    (
        SELECT ticket_id FROM ticket_events WHERE ingested_at >= since
        UNION ALL SELECT ticket_id FROM ticket_decisions WHERE ingested_at >= since
        UNION ALL SELECT ticket_id FROM feedback WHERE ingested_at >= since
    ),
    arrayFill(owner -> owner != '', arrayMap(mark -> mark.2, marks)) AS mark_teams,
    arrayFill(state -> state != '', arrayMap(mark -> mark.3, marks)) AS mark_states
SELECT
    tenant,
    ticket_id,
    created_at,
    if(corrected_category != '', corrected_category, decided_category) AS category,
    if(set_priority != '', set_priority, decided_priority) AS priority,
    decided_team,
    if(empty(owners), '', owners[-1]) AS team,
    answered_at,
    if(is_over, arrayMin(arrayFilter(moment -> empty(reopened) OR moment >= arrayMax(reopened), ends)), NULL) AS ended_at,
    toUInt16(length(reopened)) AS reopens,
    toUInt16(greatest(0, length(owners) - 1)) AS reassignments,
    toUInt8(decided_priority IN ('P1', 'P2')) AS escalated,
    toUInt8(escalated AND set_priority IN ('P3', 'P4')) AS lowered,
    toUInt8(decided_team != '' AND (is_over OR has_feedback)) AS was_judged,
    toUInt8(was_judged AND (empty(owners) OR owners[-1] = decided_team) AND (corrected_category = '' OR corrected_category = decided_category)) AS was_right,
    arrayFilter(
        stay -> stay.3 > 0 AND stay.2 != 'resolved',
        arrayMap(
            (owner, state, begins, ends) -> (owner, state, toUInt32(greatest(0, dateDiff('second', begins, ends)))),
            arrayPopBack(mark_teams),
            arrayPopBack(mark_states),
            arrayMap(mark -> mark.1, arrayPopBack(marks)),
            arrayMap(mark -> mark.1, arrayPopFront(marks))
        )
    ) AS stays,
    mark_teams[-1] AS open_team,
    mark_states[-1] AS open_state,
    marks[-1].1 AS open_since,
    kept_from,
    newest AS through,
    now64(3, 'UTC') AS computed_at
FROM
(
    SELECT
        *,
        if(empty(answers), NULL, arrayMin(answers)) AS answered_at,
        arraySort(arrayDistinct(arrayConcat(
            arrayMap(moment -> (moment, '', 'resolved'), ends),
            arrayMap(moment -> (moment, '', 'reopened'), reopened),
            arrayMap(owner -> (greatest(owner.1, created_at), owner.2, ''), owned),
            [(created_at, '', 'waiting')],
            if(isNull(answered_at) OR has(ends, assumeNotNull(answered_at)), [], [(assumeNotNull(answered_at), '', 'working')])
        ))) AS marks,
        arrayCompact(arrayMap(owner -> owner.2, arraySort(owned))) AS owners,
        notEmpty(ends) AND (empty(reopened) OR arrayMax(ends) >= arrayMax(reopened)) AS is_over
    FROM
    (
        SELECT
            tenant,
            ticket_id,
            minIf(at, what = 0) AS created_at,
            argMinIf(who, moment, what = 0) AS asker,
            maxIf(stored_at, what = 0) AS kept_from,
            groupArrayIf((at, what, who), what IN (1, 2, 3)) AS steps,
            arrayMap(step -> step.1, arrayFilter(
                step -> step.1 >= created_at AND (step.2 = 2 OR (step.2 = 1 AND step.3 != asker)), steps
            )) AS answers,
            arrayDistinct(arrayMap(step -> step.1, arrayFilter(step -> step.2 = 2, steps))) AS ends,
            arrayDistinct(arrayMap(step -> step.1, arrayFilter(step -> step.2 = 3, steps))) AS reopened,
            argMinIf(team, moment, what = 8) AS decided_team,
            argMinIf(category, moment, what = 8) AS decided_category,
            argMinIf(priority, moment, what = 8) AS decided_priority,
            argMaxIf(priority, moment, what != 8 AND priority != '') AS set_priority,
            argMaxIf(category, moment, what != 8 AND category != '') AS corrected_category,
            arrayConcat(
                if(decided_team = '', [], [(minIf(at, what = 8), toString(decided_team))]),
                groupArrayIf((at, toString(team)), what != 8 AND team != '')
            ) AS owned,
            max(what = 9) AS has_feedback
        FROM
        (
            SELECT tenant, ticket_id, occurred_at AS at, CAST(transform(kind, ['created', 'message_added', 'resolved', 'closed', 'reopened'], [0, 1, 2, 2, 3], 7) AS UInt8) AS what, cityHash64(requester) AS who, human_set['team'] AS team, human_set['priority'] AS priority, human_set['category'] AS category, toUInt64(toUnixTimestamp64Milli(occurred_at)) * 1048576 + src_offset % 1048576 AS moment, ingested_at AS stored_at
            FROM ticket_events
            WHERE (since = toDateTime(0, 'UTC') OR ticket_id IN touched)
            UNION ALL
            SELECT tenant, ticket_id, occurred_at, 8, 0, team, priority, category, toUInt64(toUnixTimestamp64Milli(occurred_at)) * 1048576 + src_offset % 1048576, ingested_at
            FROM ticket_decisions
            WHERE kind = 'created' AND (since = toDateTime(0, 'UTC') OR ticket_id IN touched)
            UNION ALL
            SELECT tenant, ticket_id, occurred_at, 9, 0,
                multiIf(kind = 'reassignment' OR field = 'team', ifNull(value, ''), ''),
                if(field = 'priority', ifNull(value, ''), ''),
                if(field = 'category', ifNull(value, ''), ''), toUInt64(toUnixTimestamp64Milli(occurred_at)) * 1048576 + src_offset % 1048576, ingested_at
            FROM standing_feedback
            WHERE (since = toDateTime(0, 'UTC') OR ticket_id IN touched)
        )
        GROUP BY tenant, ticket_id
        HAVING countIf(what = 0) > 0
    )
)
SETTINGS max_threads = 2, max_bytes_before_external_group_by = 1000000000;

-- The first refresh after this may take as long as each took before.
ALTER TABLE ticket_days MODIFY REFRESH EVERY 30 MINUTE DEPENDS ON changed_lives;
ALTER TABLE ticket_stays MODIFY REFRESH EVERY 30 MINUTE DEPENDS ON changed_lives;
DROP VIEW IF EXISTS ticket_lives;

-- The life of each ticket as it stands at the newest event: open tickets grow older.
CREATE VIEW IF NOT EXISTS ticket_lives AS
WITH
    (SELECT max(occurred_at) FROM ticket_events) AS horizon,
    (SELECT if(count() = 0, toDateTime('2100-01-01 00:00:00', 'UTC'), min(ingested_at)) FROM ticket_events) AS first_kept,
    (
        SELECT mapFromArrays(groupArray(toString(priority)), groupArray((response_minutes, resolution_minutes)))
        FROM sla_targets FINAL
    ) AS targets,
    targets[priority] AS target,
    dateDiff('second', created_at, ifNull(answered_at, horizon)) AS waited_seconds,
    dateDiff('second', created_at, ifNull(ended_at, horizon)) AS open_seconds,
    toUInt32(greatest(0, dateDiff('second', open_since, assumeNotNull(horizon)))) AS goes_on_seconds
SELECT
    created_at,
    tenant,
    ticket_id,
    category,
    priority,
    decided_team,
    team,
    if(isNull(answered_at), NULL, toUInt32(waited_seconds)) AS response_seconds,
    if(isNull(ended_at), NULL, toUInt32(open_seconds)) AS resolution_seconds,
    multiIf(target.1 = 0, NULL, waited_seconds > 60 * target.1, false, isNull(answered_at), NULL, true) AS answered_in_time,
    multiIf(target.2 = 0, NULL, open_seconds > 60 * target.2, false, isNull(ended_at), NULL, true) AS resolved_in_time,
    reopens,
    reassignments,
    escalated,
    lowered,
    was_judged,
    was_right,
    if(
        goes_on_seconds = 0 OR open_state = 'resolved',
        facts.stays, arrayPushBack(facts.stays, (open_team, open_state, goes_on_seconds))
    ) AS stays
FROM life_facts AS facts FINAL
WHERE kept_from >= first_kept;
