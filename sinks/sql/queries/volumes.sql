-- Tickets of the last seven days per category, team, priority, language, channel, tenant, product and tag: share, and change against the seven before.
WITH
    (SELECT max(hour) FROM ticket_volumes) AS newest,
    sumIf(tickets, hour > newest - INTERVAL 7 DAY) AS recent,
    sumIf(tickets, hour <= newest - INTERVAL 7 DAY) AS earlier,
    sum(if(dimension = 'all', recent, 0)) OVER () AS all_recent,  -- of tags a ticket has none or several
    sum(if(dimension = 'all', earlier, 0)) OVER () AS all_earlier
SELECT
    dimension,
    value,
    recent AS tickets_7d,
    earlier AS tickets_before,
    round(100 * recent / nullIf(all_recent, 0), 1) AS percent,
    round(100 * earlier / nullIf(all_earlier, 0), 1) AS percent_before,
    round(100 * (toInt64(recent) - toInt64(earlier)) / nullIf(earlier, 0), 1) AS change_percent
FROM ticket_volumes
WHERE hour > newest - INTERVAL 14 DAY
GROUP BY dimension, value
ORDER BY
    indexOf(['all', 'category', 'team', 'priority', 'language', 'channel', 'tenant', 'product', 'tag'], dimension),
    tickets_7d DESC, value
LIMIT 100 BY dimension, if(dimension IN ('product', 'tag'), '', value)
