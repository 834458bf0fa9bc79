-- Milliseconds from an event's arrival in Kafka to its decision: median, 95th and 99th percentile.
SELECT
    toStartOfHour(decided_at) AS hour,
    count() AS decisions,
    quantile(0.5)(latency_ms) AS p50_ms,
    quantile(0.95)(latency_ms) AS p95_ms,
    quantile(0.99)(latency_ms) AS p99_ms
FROM ticket_decisions
WHERE latency_ms >= 0
GROUP BY hour
ORDER BY hour DESC
LIMIT 48
