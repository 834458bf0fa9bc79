-- What people said beside what had been decided before: one row for each piece of feedback and head, computed anew from
-- feedback and decisions, so that what is delivered or sent twice counts once.
CREATE MATERIALIZED VIEW IF NOT EXISTS judged_answers REFRESH EVERY 30 MINUTE
(
    judged_at      DateTime64(3, 'UTC'),
    decided_at     DateTime64(3, 'UTC'),
    head           LowCardinality(String),
    truth          LowCardinality(String),
    said           LowCardinality(String),
    probability    Float64,
    tenant         LowCardinality(String),
    team           LowCardinality(String),
    language       LowCardinality(String),
    band           LowCardinality(String),
    delay_seconds  UInt32
)
ENGINE = MergeTree ORDER BY (judged_at, head)
EMPTY
AS
WITH
    words AS
    (
        SELECT tenant, source, ticket_id, ifNull(decision_id, '') AS named, occurred_at AS judged_at,
            if(kind = 'reassignment', 'team', assumeNotNull(field)) AS head, assumeNotNull(value) AS truth
        FROM standing_feedback
        WHERE kind = 'reassignment' OR (kind = 'correction' AND field IN ('category', 'intent', 'priority', 'sentiment', 'language', 'team'))
        ORDER BY src_topic, src_partition, src_offset
        LIMIT 1 BY tenant, source, feedback_id
    ),
    answers AS
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
        WHERE (tenant, ticket_id) IN (SELECT tenant, ticket_id FROM feedback)
            AND NOT has(human, head) AND (head != 'team' OR kind = 'created')
    )
SELECT judged_at, answered_at AS decided_at, head, truth, said, probability, tenant, team, language, band,
    toUInt32(greatest(0, dateDiff('second', answered_at, judged_at))) AS delay_seconds
FROM
(
    SELECT words.judged_at, answers.answered_at, words.head, words.truth, answers.said, answers.probability,
        words.tenant, answers.team, answers.language, answers.band
    FROM words
    ASOF JOIN answers
        ON words.tenant = answers.tenant AND words.source = answers.source AND words.ticket_id = answers.ticket_id
        AND words.head = answers.head AND words.judged_at >= answers.answered_at
    WHERE words.named = ''
    UNION ALL
    SELECT words.judged_at, answers.answered_at, words.head, words.truth, answers.said, answers.probability,
        words.tenant, answers.team, answers.language, answers.band
    FROM words
    INNER JOIN answers
        ON words.tenant = answers.tenant AND words.source = answers.source AND words.ticket_id = answers.ticket_id
        AND words.head = answers.head AND words.named = answers.decision_id
    WHERE words.named != ''
)
SETTINGS max_threads = 2, max_bytes_before_external_group_by = 1000000000;
