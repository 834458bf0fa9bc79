-- How often team and category stood, of tickets that are over or that people said something about, by the team decided for: tickets of the last seven days, and the seven before.
WITH
    (SELECT max(day) FROM ticket_days) AS newest,
    days.day > newest - 7 AS recent
SELECT
    days.decided_team AS team,
    sumIf(days.judged, recent) AS judged,
    sumIf(days.stood, recent) AS stood,
    round(100 * sumIf(days.stood, recent) / nullIf(sumIf(days.judged, recent), 0), 1) AS percent,
    round(100 * sumIf(days.stood, NOT recent) / nullIf(sumIf(days.judged, NOT recent), 0), 1) AS percent_before,
    round(percent - percent_before, 1) AS change_points,
    sumIf(days.tickets, recent) AS tickets
FROM ticket_days AS days
WHERE days.day > newest - 14
GROUP BY team
ORDER BY judged DESC, team
