-- Tickets an hour and agents needed, for all and each team: the next 24 hours, and the last 12 beside what came.
WITH
    (SELECT max(made_at) FROM forecasts) AS newest,
    ahead AS
    (
        SELECT *
        FROM forecasts FINAL
        WHERE hour >= newest - INTERVAL 12 HOUR AND hour < newest + INTERVAL 24 HOUR
            AND (series = 'all=tickets' OR startsWith(series, 'team='))
        ORDER BY made_at DESC
        LIMIT 1 BY series, hour
    ),
    arrived AS
    (
        SELECT series, toStartOfHour(bucket) AS hour, sum(tickets) AS tickets
        FROM counts
        WHERE bucket >= newest - INTERVAL 12 HOUR AND bucket < newest
        GROUP BY series, hour
    )
SELECT
    ahead.series AS series,
    ahead.hour AS hour,
    round(ahead.low, 1) AS low,
    round(ahead.expected, 1) AS expected,
    round(ahead.high, 1) AS high,
    if(ahead.hour < newest, toNullable(arrived.tickets), NULL) AS came,
    ahead.agents AS agents,
    ahead.rostered AS rostered,
    ahead.method AS method,
    ahead.made_at AS made_at
FROM ahead
LEFT JOIN arrived ON arrived.series = ahead.series AND arrived.hour = ahead.hour
ORDER BY series != 'all=tickets', series, hour
