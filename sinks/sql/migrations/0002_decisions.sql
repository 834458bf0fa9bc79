-- Every routing decision, once: src_* is where the decided event stands in the log.
CREATE TABLE IF NOT EXISTS ticket_decisions
(
    decision_id           String,
    event_id              String,
    kind                  LowCardinality(String),
    ticket_id             String,
    source                LowCardinality(String),
    tenant                LowCardinality(String),
    channel               LowCardinality(String),
    customer_tier         LowCardinality(Nullable(String)),
    subject               String,
    category              LowCardinality(String),
    category_probability  Float64,
    intent                LowCardinality(String),
    intent_probability    Float64,
    priority              LowCardinality(String),
    priority_probability  Float64,
    sentiment             LowCardinality(String),
    sentiment_probability Float64,
    sentiment_score       Float64,
    language              LowCardinality(String),
    language_probability  Float64,
    top                   Map(LowCardinality(String), Array(Tuple(label String, probability Float64))),
    reasons               Map(LowCardinality(String), Array(Tuple(text String, weight Float64))),
    human                 Array(LowCardinality(String)),
    team                  LowCardinality(String),
    queue                 LowCardinality(String),
    band                  LowCardinality(String),
    models                Map(LowCardinality(String), String),
    occurred_at           DateTime64(3, 'UTC'),
    decided_at            DateTime64(3, 'UTC'),
    latency_ms            Int64,
    src_topic             LowCardinality(String),
    src_partition         UInt16,
    src_offset            Int64,
    ingested_at           DateTime('UTC'),
    INDEX by_ticket ticket_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1,
    PROJECTION high_water (SELECT src_topic, src_partition, max(src_offset) GROUP BY src_topic, src_partition),
    PROJECTION per_minute
    (
        SELECT toStartOfMinute(occurred_at), tenant, category, priority, language, sentiment, team, band, count()
        GROUP BY toStartOfMinute(occurred_at), tenant, category, priority, language, sentiment, team, band
    )
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ingested_at)
ORDER BY (category, occurred_at, ticket_id)
SETTINGS non_replicated_deduplication_window = 1000;

-- Answered from the projection, which can not drift from the rows as a materialized view can.
CREATE VIEW IF NOT EXISTS decisions_per_minute AS
SELECT toStartOfMinute(occurred_at) AS minute, tenant, category, priority, language, sentiment, team, band, count() AS decisions
FROM ticket_decisions
GROUP BY toStartOfMinute(occurred_at), tenant, category, priority, language, sentiment, team, band;

-- The newest decision on each ticket.
CREATE VIEW IF NOT EXISTS ticket_decisions_latest AS
SELECT * FROM ticket_decisions ORDER BY occurred_at DESC, src_offset DESC LIMIT 1 BY tenant, ticket_id;
