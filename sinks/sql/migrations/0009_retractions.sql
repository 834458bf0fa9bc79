-- What people said and nobody took back: `feedback` without retractions and without what they name.
CREATE VIEW IF NOT EXISTS standing_feedback AS
SELECT *
FROM feedback
WHERE kind != 'retraction' AND (tenant, source, ticket_id, feedback_id) NOT IN (
    SELECT tenant, source, ticket_id, assumeNotNull(value) FROM feedback WHERE kind = 'retraction'
);

-- As before, of what stands.
ALTER TABLE ticket_lives MODIFY QUERY
WITH
    (SELECT max(occurred_at) FROM ticket_events) AS horizon,
    (
        SELECT mapFromArrays(groupArray(toString(priority)), groupArray((response_minutes, resolution_minutes)))
        FROM sla_targets FINAL
    ) AS targets,
    targets[priority] AS target,
    dateDiff('second', created_at, if(isNull(answered_at), horizon, assumeNotNull(answered_at))) AS waited_seconds,
    dateDiff('second', created_at, ended_at) AS open_seconds
SELECT
    created_at,
    tenant,
    ticket_id,
    if(corrected_category != '', corrected_category, decided_category) AS category,
    if(set_priority != '', set_priority, decided_priority) AS priority,
    decided_team,
    if(empty(owners), '', owners[-1]) AS team,
    if(isNull(answered_at), NULL, toUInt32(dateDiff('second', created_at, assumeNotNull(answered_at)))) AS response_seconds,
    if(is_over, toUInt32(dateDiff('second', created_at, ended_at)), NULL) AS resolution_seconds,
    multiIf(target.1 = 0, NULL, waited_seconds > 60 * target.1, false, isNull(answered_at), NULL, true) AS answered_in_time,
    multiIf(target.2 = 0, NULL, open_seconds > 60 * target.2, false, NOT is_over, NULL, true) AS resolved_in_time,
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
            arrayFill(owner -> owner != '', arrayMap(mark -> mark.2, marks)),
            arrayFill(state -> state != '', arrayMap(mark -> mark.3, marks)),
            arrayMap(mark -> mark.1, marks),
            arrayPushBack(arrayMap(mark -> mark.1, arrayPopFront(marks)), horizon)
        )
    ) AS stays
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
        notEmpty(ends) AND (empty(reopened) OR arrayMax(ends) >= arrayMax(reopened)) AS is_over,
        if(is_over, arrayMin(arrayFilter(moment -> empty(reopened) OR moment >= arrayMax(reopened), ends)), horizon) AS ended_at
    FROM
    (
        SELECT
            tenant,
            ticket_id,
            minIf(at, what = 0) AS created_at,
            argMinIf(who, at, what = 0) AS asker,
            groupArrayIf((at, what, who), what IN (1, 2, 3)) AS steps,
            arrayMap(step -> step.1, arrayFilter(
                step -> step.1 >= created_at AND (step.2 = 2 OR (step.2 = 1 AND step.3 != asker)), steps
            )) AS answers,
            arrayDistinct(arrayMap(step -> step.1, arrayFilter(step -> step.2 = 2, steps))) AS ends,
            arrayDistinct(arrayMap(step -> step.1, arrayFilter(step -> step.2 = 3, steps))) AS reopened,
            argMinIf(team, at, what = 8) AS decided_team,
            argMinIf(category, at, what = 8) AS decided_category,
            argMinIf(priority, at, what = 8) AS decided_priority,
            argMaxIf(priority, at, what != 8 AND priority != '') AS set_priority,
            argMaxIf(category, at, what != 8 AND category != '') AS corrected_category,
            arrayConcat(
                if(decided_team = '', [], [(minIf(at, what = 8), toString(decided_team))]),
                groupArrayIf((at, toString(team)), what != 8 AND team != '')
            ) AS owned,
            max(what = 9) AS has_feedback
        FROM
        (
            SELECT tenant, ticket_id, occurred_at AS at, CAST(transform(kind, ['created', 'message_added', 'resolved', 'closed', 'reopened'], [0, 1, 2, 2, 3], 7) AS UInt8) AS what, cityHash64(requester) AS who, human_set['team'] AS team, human_set['priority'] AS priority, human_set['category'] AS category
            FROM ticket_events
            UNION ALL
            SELECT tenant, ticket_id, occurred_at, 8, 0, team, priority, category
            FROM ticket_decisions
            WHERE kind = 'created' AND occurred_at >= (SELECT min(occurred_at) FROM ticket_events)
            UNION ALL
            SELECT tenant, ticket_id, occurred_at, 9, 0,
                multiIf(kind = 'reassignment' OR field = 'team', ifNull(value, ''), ''),
                if(field = 'priority', ifNull(value, ''), ''),
                if(field = 'category', ifNull(value, ''), '')
            FROM standing_feedback
        )
        GROUP BY tenant, ticket_id
        HAVING countIf(what = 0) > 0
    )
)
SETTINGS max_threads = 2, max_bytes_before_external_group_by = 1000000000;
