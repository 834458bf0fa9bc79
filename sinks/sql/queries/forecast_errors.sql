-- How good the forecasts of a day ahead were in the last 28 days: error in percent of the tickets, and hours within the limits.
WITH
    (SELECT max(made_at) FROM forecasts) AS newest,
    ahead AS
    (
        SELECT *
        FROM forecasts FINAL
        WHERE hour >= newest - INTERVAL 28 DAY AND hour < newest AND made_at <= hour - INTERVAL 24 HOUR
        ORDER BY made_at DESC
        LIMIT 1 BY series, hour
    ),
    arrived AS
    (
        SELECT series, toStartOfHour(bucket) AS hour, sum(tickets) AS tickets
        FROM counts
        WHERE bucket >= newest - INTERVAL 28 DAY AND bucket < newest
        GROUP BY series, hour
    )
SELECT
    ahead.series AS series,
    count() AS hours,
    sum(arrived.tickets) AS tickets,
    round(sum(ahead.expected)) AS forecast,
    if(tickets = 0, NULL, round(100 * sum(abs(arrived.tickets - ahead.expected)) / tickets, 1)) AS error_percent,
    round(100 * avg(arrived.tickets BETWEEN ahead.low AND ahead.high), 1) AS within_percent,
    round(100 * any(ahead.coverage)) AS wanted_percent
FROM ahead
LEFT JOIN arrived ON arrived.series = ahead.series AND arrived.hour = ahead.hour
GROUP BY series
ORDER BY tickets DESC, series
