-- Volumes per category, priority, language, sentiment, band and team, with shares.
SELECT
    dimension,
    value,
    count() AS tickets,
    round(100 * tickets / sum(tickets) OVER (PARTITION BY dimension), 1) AS percent
FROM ticket_decisions
ARRAY JOIN
    ['category', 'priority', 'language', 'sentiment', 'band', 'team'] AS dimension,
    [category, priority, language, sentiment, band, team] AS value
GROUP BY dimension, value
ORDER BY indexOf(['category', 'priority', 'language', 'sentiment', 'band', 'team'], dimension), tickets DESC, value
