-- Tickets per hour ahead, as forecast from the hours before `made_at`, and the agents who keep the service level then. A
-- forecast that is made again after a crash replaces itself.
CREATE TABLE IF NOT EXISTS forecasts
(
    series          LowCardinality(String),
    hour            DateTime('UTC'),
    made_at         DateTime('UTC'),
    expected        Float64,
    low             Float64,
    high            Float64,
    coverage        Float32,
    agents          UInt32,
    agents_at_high  UInt32,
    rostered        UInt32,
    method          LowCardinality(String),
    ingested_at     DateTime('UTC')
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYYYYMM(ingested_at)
ORDER BY (series, hour, made_at)
TTL ingested_at + INTERVAL 180 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
