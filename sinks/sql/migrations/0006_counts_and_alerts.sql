-- What is counted: all that one source partition held of a bucket of time when it was told. The newest replaces the rest.
CREATE TABLE IF NOT EXISTS bucket_counts
(
    bucket            DateTime('UTC'),
    source_partition  UInt16,
    through           Int64,
    counts            Map(LowCardinality(String), UInt64),
    src_topic         LowCardinality(String),
    src_partition     UInt16,
    src_offset        Int64,
    ingested_at       DateTime('UTC'),
    PROJECTION high_water (SELECT src_topic, src_partition, max(src_offset) GROUP BY src_topic, src_partition)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ingested_at)
ORDER BY (bucket, source_partition, through)
TTL ingested_at + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Tickets per series and bucket, over all source partitions.
CREATE VIEW IF NOT EXISTS counts AS
SELECT bucket, item.1 AS series, sum(item.2) AS tickets
FROM
(
    SELECT bucket, source_partition, argMax(counts, through) AS newest
    FROM bucket_counts
    GROUP BY bucket, source_partition
)
ARRAY JOIN CAST(newest, 'Array(Tuple(String, UInt64))') AS item
GROUP BY bucket, series;

-- Every word on every incident. A word that is told again after a crash is the same but for src_offset.
CREATE TABLE IF NOT EXISTS alerts
(
    incident_id       String,
    kind              LowCardinality(String),
    stage             LowCardinality(String),
    subject           String,
    team              LowCardinality(String),
    opened_at         DateTime64(3, 'UTC'),
    at                DateTime64(3, 'UTC'),
    observed          Float64,
    expected          Float64,
    score             Float64,
    children          Array(Tuple(text String, observed Float64, expected Float64, g2 Float64)),
    terms             Array(Tuple(text String, observed Float64, expected Float64, g2 Float64)),
    examples          Array(String),
    first_ticket      Nullable(String),
    requesters        UInt32,
    page              Bool,
    note              String,
    src_topic         LowCardinality(String),
    src_partition     UInt16,
    src_offset        Int64,
    ingested_at       DateTime('UTC'),
    PROJECTION high_water (SELECT src_topic, src_partition, max(src_offset) GROUP BY src_topic, src_partition)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(ingested_at)
ORDER BY (opened_at, incident_id, at)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The newest word on each incident: it says all that is to be known of it.
CREATE VIEW IF NOT EXISTS incidents AS
SELECT * FROM alerts ORDER BY at DESC, src_offset DESC LIMIT 1 BY incident_id;
