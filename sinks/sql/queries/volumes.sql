-- Tickets of the last seven days per category, team, priority, language, channel and tenant: share, and change against the seven before.
WITH
    (SELECT max(hour) FROM ticket_volumes) AS newest,
    sumIf(tickets, hour > newest - INTERVAL 7 DAY) AS recent,
    sumIf(tickets, hour <= newest - INTERVAL 7 DAY) AS earlier
SELECT
    dimension,
    value,
    recent AS tickets_7d,
    earlier AS tickets_before,
    round(100 * recent / nullIf(sum(recent) OVER (PARTITION BY dimension), 0), 1) AS percent,
    round(100 * earlier / nullIf(sum(earlier) OVER (PARTITION BY dimension), 0), 1) AS percent_before,
    round(100 * (toInt64(recent) - toInt64(earlier)) / nullIf(earlier, 0), 1) AS change_percent
FROM ticket_volumes
WHERE hour > newest - INTERVAL 14 DAY
GROUP BY dimension, value
ORDER BY
    indexOf(['all', 'category', 'team', 'priority', 'language', 'channel', 'tenant'], dimension), tickets_7d DESC, value
