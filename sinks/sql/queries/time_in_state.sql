-- Hours that tickets of the last fourteen days spent with each team: waiting for a first answer, being worked on, reopened.
SELECT
    days.team AS team,
    days.state AS state,
    sum(days.stays) AS stays,
    round(quantilesExactMerge(0.5, 0.9)(days.durations)[1] / 3600, 2) AS p50_h,
    round(quantilesExactMerge(0.5, 0.9)(days.durations)[2] / 3600, 2) AS p90_h,
    round(sum(days.seconds) / 3600, 1) AS total_h
FROM ticket_stays AS days
WHERE days.day > (SELECT max(day) FROM ticket_days) - 14
GROUP BY team, state
ORDER BY team, indexOf(['waiting', 'working', 'reopened'], state)
