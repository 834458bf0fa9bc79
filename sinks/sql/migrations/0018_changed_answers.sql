-- What people said of each ticket beside what had been decided before: the row that was computed last counts. It has no
-- answers where all that was said is taken back. The row without a ticket tells up to when everything was looked at.
CREATE TABLE IF NOT EXISTS answer_facts
(
    tenant       LowCardinality(String),
    source       LowCardinality(String),
    ticket_id    String,
    answers      Array(Tuple(
        judged_at DateTime64(3, 'UTC'), decided_at DateTime64(3, 'UTC'), head LowCardinality(String), truth String, said String,
        probability Float64, team LowCardinality(String), language LowCardinality(String), band LowCardinality(String)
    )),
    through      DateTime('UTC'),
    computed_at  DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(computed_at)
ORDER BY (tenant, source, ticket_id);

-- Only tickets are computed again of which feedback or a decision was stored since the last time, or up to an hour before, as
-- in `changed_lives`; and those that share a feedback's id with what was stored, since of these the first counts. Each from all
-- that is stored of it. The first time all of them are.
CREATE MATERIALIZED VIEW IF NOT EXISTS changed_answers REFRESH EVERY 30 MINUTE APPEND TO answer_facts
EMPTY
AS
WITH
    (SELECT toDateTime(greatest(toUnixTimestamp(max(through)), 3600) - 3600, 'UTC') FROM answer_facts) AS since,
    (
        SELECT max(newest) FROM
        (SELECT max(ingested_at) AS newest FROM ticket_decisions UNION ALL SELECT max(ingested_at) FROM feedback)
    ) AS newest,
    named AS
    (
        SELECT if(kind = 'retraction', assumeNotNull(value), feedback_id) FROM feedback WHERE ingested_at >= since
    ),
    touched AS  -- of whatever tenant and source: one more that is computed again does no harm
    (
        SELECT ticket_id FROM feedback WHERE feedback_id IN named
        UNION ALL SELECT ticket_id FROM ticket_decisions WHERE ingested_at >= since
    ),
    judged AS
    (
        SELECT DISTINCT ticket_id FROM feedback WHERE since = toDateTime(0, 'UTC') OR ticket_id IN touched
    ),
    words AS
    (
        SELECT tenant, source, ticket_id, ifNull(decision_id, '') AS named, occurred_at AS judged_at,
            if(kind = 'reassignment', 'team', assumeNotNull(field)) AS head, assumeNotNull(value) AS truth
        FROM standing_feedback
        WHERE (kind = 'reassignment' OR (kind = 'correction' AND field IN ('category', 'intent', 'priority', 'sentiment', 'language', 'team')))
            AND (since = toDateTime(0, 'UTC') OR feedback_id IN (SELECT feedback_id FROM feedback WHERE ticket_id IN judged))
        ORDER BY src_topic, src_partition, src_offset
        LIMIT 1 BY tenant, source, feedback_id
    ),
    decided AS
    (
        SELECT decision_id, tenant, source, ticket_id, occurred_at AS answered_at, team, language, band,
            answer.1 AS head, answer.2 AS said, answer.3 AS probability
        FROM ticket_decisions
        ARRAY JOIN [
            ('category', toString(category), category_probability),
            ('intent', toString(intent), intent_probability),
            ('priority', toString(priority), priority_probability),
            ('sentiment', toString(sentiment), sentiment_probability),
            ('language', toString(language), language_probability),
            ('team', toString(team), category_probability)
        ] AS answer
        -- What a person had set is no answer of the machine's; of the team no decision says who set it, so the first counts.
        WHERE ticket_id IN judged AND NOT has(human, head) AND (head != 'team' OR kind = 'created')
    ),
    found AS
    (
        SELECT words.tenant AS tenant, words.source AS source, words.ticket_id AS ticket_id, words.judged_at AS judged_at,
            decided.answered_at AS decided_at, words.head AS head, words.truth AS truth, decided.said AS said,
            decided.probability AS probability, decided.team AS team, decided.language AS language, decided.band AS band
        FROM words
        ASOF JOIN decided
            ON words.tenant = decided.tenant AND words.source = decided.source AND words.ticket_id = decided.ticket_id
            AND words.head = decided.head AND words.judged_at >= decided.answered_at
        WHERE words.named = ''
        UNION ALL
        SELECT words.tenant, words.source, words.ticket_id, words.judged_at, decided.answered_at, words.head, words.truth,
            decided.said, decided.probability, decided.team, decided.language, decided.band
        FROM words
        INNER JOIN decided
            ON words.tenant = decided.tenant AND words.source = decided.source AND words.ticket_id = decided.ticket_id
            AND words.head = decided.head AND words.named = decided.decision_id
        WHERE words.named != ''
    )
SELECT
    tenant,
    source,
    ticket_id,
    arrayFilter(answer -> answer.3 != '', groupArray((judged_at, decided_at, head, truth, said, probability, team, language, band))) AS answers,
    newest AS through,
    now64(3, 'UTC') AS computed_at
FROM
(
    SELECT tenant, source, ticket_id, judged_at, decided_at, head, truth, said, probability, team, language, band
    FROM found
    WHERE ticket_id IN judged
    UNION ALL
    SELECT DISTINCT tenant, source, ticket_id, toDateTime64(0, 3, 'UTC'), toDateTime64(0, 3, 'UTC'), '', '', '', 0., '', '', ''
    FROM feedback
    WHERE ticket_id IN judged
    UNION ALL
    SELECT '', '', '', toDateTime64(0, 3, 'UTC'), toDateTime64(0, 3, 'UTC'), '', '', '', 0., '', '', ''
)
GROUP BY tenant, source, ticket_id
SETTINGS max_threads = 2, max_bytes_before_external_group_by = 1000000000;

-- As before, of what has been computed. The first refresh of `changed_answers` after this may take as long as each took before.
ALTER TABLE judged_answers MODIFY QUERY
SELECT
    answer.judged_at AS judged_at,
    answer.decided_at AS decided_at,
    answer.head AS head,
    answer.truth AS truth,
    answer.said AS said,
    answer.probability AS probability,
    tenant,
    answer.team AS team,
    answer.language AS language,
    answer.band AS band,
    toUInt32(greatest(0, dateDiff('second', answer.decided_at, answer.judged_at))) AS delay_seconds
FROM answer_facts FINAL
ARRAY JOIN answers AS answer
SETTINGS max_threads = 2;

ALTER TABLE judged_answers MODIFY REFRESH EVERY 30 MINUTE DEPENDS ON changed_answers;
