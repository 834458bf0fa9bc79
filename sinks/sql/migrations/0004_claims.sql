-- Who may write a Kafka partition's rows into a table: the writer of the highest term. Every insert is conditional on it.
CREATE TABLE IF NOT EXISTS archive_claims
(
    table_name     LowCardinality(String),
    src_partition  UInt16,
    term           UInt64,
    writer         String,
    claimed_at     DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (table_name, src_partition, term)
TTL toDateTime(claimed_at) + INTERVAL 30 DAY;
