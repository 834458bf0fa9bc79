-- What sources told, as it stood in the log. One insert is one part: ingested_at is the same for a whole batch.
CREATE TABLE IF NOT EXISTS ticket_events
(
    event_id        String,
    kind            LowCardinality(String),
    ticket_id       String,
    source          LowCardinality(String),
    tenant          LowCardinality(String),
    channel         LowCardinality(String),
    requester       String,
    subject         String,
    body            String,
    language_hint   LowCardinality(Nullable(String)),
    tags            Array(LowCardinality(String)),
    customer_tier   LowCardinality(Nullable(String)),
    human_set       Map(LowCardinality(String), String),
    occurred_at     DateTime64(3, 'UTC'),
    src_topic       LowCardinality(String),
    src_partition   UInt16,
    src_offset      Int64,
    ingested_at     DateTime('UTC'),
    INDEX by_ticket ticket_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1,
    PROJECTION high_water (SELECT src_topic, src_partition, max(src_offset) GROUP BY src_topic, src_partition)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ingested_at)
ORDER BY (src_topic, src_partition, src_offset)
TTL ingested_at + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;
