-- What people said about tickets: src_* is where the record stands in the log.
CREATE TABLE IF NOT EXISTS feedback
(
    feedback_id    String,
    kind           LowCardinality(String),
    ticket_id      String,
    source         LowCardinality(String),
    tenant         LowCardinality(String),
    decision_id    Nullable(String),
    field          LowCardinality(Nullable(String)),
    value          Nullable(String),
    score          Nullable(Int32),
    actor          String,
    occurred_at    DateTime64(3, 'UTC'),
    src_topic      LowCardinality(String),
    src_partition  UInt16,
    src_offset     Int64,
    ingested_at    DateTime('UTC'),
    INDEX by_ticket ticket_id TYPE bloom_filter GRANULARITY 4,
    PROJECTION high_water (SELECT src_topic, src_partition, max(src_offset) GROUP BY src_topic, src_partition)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ingested_at)
ORDER BY (src_topic, src_partition, src_offset)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Within how many minutes tickets of a priority are to be answered and resolved. The greatest revision counts; add rows to
-- change them.
CREATE TABLE IF NOT EXISTS sla_targets
(
    priority            LowCardinality(String),
    response_minutes    UInt32,
    resolution_minutes  UInt32,
    revision            UInt32 DEFAULT toUnixTimestamp(now())
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY priority;
INSERT INTO sla_targets SELECT * FROM values('priority String, response UInt32, resolution UInt32, revision UInt32', ('P1', 15, 240, 0), ('P2', 60, 480, 0), ('P3', 240, 1440, 0), ('P4', 480, 4320, 0));

-- Tickets that came in, by hour and by one dimension at a time.
CREATE MATERIALIZED VIEW IF NOT EXISTS ticket_volumes REFRESH EVERY 10 MINUTE
(
    hour       DateTime('UTC'),
    dimension  LowCardinality(String),
    value      LowCardinality(String),
    tickets    UInt64
)
ENGINE = MergeTree ORDER BY (hour, dimension, value)
EMPTY
AS SELECT toStartOfHour(occurred_at) AS hour, dimension, value, count() AS tickets
FROM ticket_decisions
ARRAY JOIN
    ['all', 'category', 'team', 'priority', 'language', 'channel', 'tenant'] AS dimension,
    ['all', category, team, priority, language, channel, tenant] AS value
WHERE kind = 'created' AND occurred_at > (SELECT max(occurred_at) FROM ticket_decisions) - INTERVAL 35 DAY
GROUP BY hour, dimension, value
SETTINGS max_threads = 2;

-- In how many subjects of a day's new tickets each word stands.
CREATE MATERIALIZED VIEW IF NOT EXISTS subject_words REFRESH EVERY 1 HOUR
(
    day      Date,
    word     String,
    tickets  UInt32
)
ENGINE = MergeTree ORDER BY (day, word)
EMPTY
AS SELECT
    toDate(occurred_at) AS day,
    -- The empty word stands in every subject: its count is the day's tickets.
    arrayJoin(arrayPushBack(
        arrayDistinct(arrayFilter(
            part -> length(part) BETWEEN 3 AND 60 AND NOT match(part, '[0-9]'), splitByNonAlpha(lowerUTF8(subject))
        )),
        ''
    )) AS word,
    toUInt32(count()) AS tickets
FROM ticket_decisions
WHERE kind = 'created' AND occurred_at > (SELECT max(occurred_at) FROM ticket_decisions) - INTERVAL 35 DAY
GROUP BY day, word
SETTINGS max_threads = 2;

-- The life of each ticket that was created within the days that events are kept: one row a ticket, computed anew from
-- events, decisions and feedback, so that what is delivered or sent twice counts once.
CREATE MATERIALIZED VIEW IF NOT EXISTS ticket_lives REFRESH EVERY 30 MINUTE
(
    created_at          DateTime64(3, 'UTC'),
    tenant              LowCardinality(String),
    ticket_id           String,
    category            LowCardinality(String),
    priority            LowCardinality(String),
    decided_team        LowCardinality(String),
    team                LowCardinality(String),
    response_seconds    Nullable(UInt32),
    resolution_seconds  Nullable(UInt32),
    answered_in_time    Nullable(Bool),
    resolved_in_time    Nullable(Bool),
    reopens             UInt16,
    reassignments       UInt16,
    escalated           UInt8,
    lowered             UInt8,
    was_judged          UInt8,
    was_right           UInt8,
    stays               Array(Tuple(team LowCardinality(String), state LowCardinality(String), seconds UInt32))
)
ENGINE = MergeTree ORDER BY created_at
EMPTY
AS
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
            FROM feedback
        )
        GROUP BY tenant, ticket_id
        HAVING countIf(what = 0) > 0
    )
)
-- More than a gigabyte goes to the disk.
SETTINGS max_threads = 2, max_bytes_before_external_group_by = 1000000000;

-- What became of the tickets of each day. The quantiles are exact: a state holds every value.
CREATE MATERIALIZED VIEW IF NOT EXISTS ticket_days REFRESH EVERY 30 MINUTE DEPENDS ON ticket_lives
(
    day              Date,
    priority         LowCardinality(String),
    team             LowCardinality(String),
    decided_team     LowCardinality(String),
    tickets          UInt64,
    unanswered       UInt64,
    unresolved       UInt64,
    answered_early   UInt64,
    answered_late    UInt64,
    resolved_early   UInt64,
    resolved_late    UInt64,
    ended            UInt64,
    reopened         UInt64,
    moved            UInt64,
    most_moves       UInt16,
    escalated        UInt64,
    lowered          UInt64,
    judged           UInt64,
    stood            UInt64,
    response         AggregateFunction(quantilesExact(0.5, 0.9), UInt32),
    resolution       AggregateFunction(quantilesExact(0.5, 0.9), UInt32)
)
ENGINE = MergeTree ORDER BY (day, priority, team, decided_team)
EMPTY
AS SELECT
    toDate(created_at) AS day,
    priority,
    team,
    decided_team,
    count() AS tickets,
    countIf(isNull(response_seconds)) AS unanswered,
    countIf(isNull(resolution_seconds)) AS unresolved,
    countIf(answered_in_time) AS answered_early,
    countIf(NOT answered_in_time) AS answered_late,
    countIf(resolved_in_time) AS resolved_early,
    countIf(NOT resolved_in_time) AS resolved_late,
    countIf(lives.reopens > 0 OR isNotNull(resolution_seconds)) AS ended,
    countIf(lives.reopens > 0) AS reopened,
    countIf(lives.reassignments > 0) AS moved,
    max(lives.reassignments) AS most_moves,
    countIf(lives.escalated) AS escalated,
    countIf(lives.lowered) AS lowered,
    countIf(was_judged) AS judged,
    countIf(was_right) AS stood,
    quantilesExactStateIf(0.5, 0.9)(assumeNotNull(response_seconds), isNotNull(response_seconds)) AS response,
    quantilesExactStateIf(0.5, 0.9)(assumeNotNull(resolution_seconds), isNotNull(resolution_seconds)) AS resolution
FROM ticket_lives AS lives
GROUP BY day, priority, team, decided_team
SETTINGS max_threads = 2;

-- How long the tickets of each day were with each team, and in which state: `waiting` for their first answer, `working`,
-- `reopened`.
CREATE MATERIALIZED VIEW IF NOT EXISTS ticket_stays REFRESH EVERY 30 MINUTE DEPENDS ON ticket_lives
(
    day        Date,
    team       LowCardinality(String),
    state      LowCardinality(String),
    stays      UInt64,
    seconds    UInt64,
    durations  AggregateFunction(quantilesExact(0.5, 0.9), UInt32)
)
ENGINE = MergeTree ORDER BY (day, team, state)
EMPTY
AS SELECT
    toDate(created_at) AS day,
    stay.1 AS team,
    stay.2 AS state,
    count() AS stays,
    sum(stay.3) AS seconds,
    quantilesExactState(0.5, 0.9)(stay.3) AS durations
FROM ticket_lives
ARRAY JOIN ticket_lives.stays AS stay
GROUP BY day, team, state
SETTINGS max_threads = 2;
