-- Records that could not be handled: src_* is where the bad record stood.
CREATE TABLE IF NOT EXISTS dead_letters
(
    stage          LowCardinality(String),
    exception      LowCardinality(String),
    message        String,
    stacktrace     String,
    key            Nullable(String),
    value          Nullable(String),
    failed_at      DateTime64(3, 'UTC'),
    src_topic      LowCardinality(String),
    src_partition  UInt16,
    src_offset     Int64,
    ingested_at    DateTime('UTC'),
    PROJECTION high_water (SELECT src_topic, src_partition, max(src_offset) GROUP BY src_topic, src_partition)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ingested_at)
ORDER BY (src_topic, src_partition, src_offset)
TTL ingested_at + INTERVAL 180 DAY
SETTINGS non_replicated_deduplication_window = 1000;
