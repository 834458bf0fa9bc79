-- Decisions per minute of the last hour that has any, by category.
SELECT
    minute,
    category,
    sum(decisions) AS tickets
FROM decisions_per_minute
WHERE minute > (SELECT max(minute) FROM decisions_per_minute) - INTERVAL 1 HOUR
GROUP BY minute, category
ORDER BY minute, tickets DESC, category
