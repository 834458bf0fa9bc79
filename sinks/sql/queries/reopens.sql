-- How many of the tickets that had been resolved came back, by the team that has them: tickets of the last seven days, and the seven before.
WITH
    (SELECT max(day) FROM ticket_days) AS newest,
    days.day > newest - 7 AS recent
SELECT
    days.team AS team,
    sumIf(days.ended, recent) AS resolved,
    sumIf(days.reopened, recent) AS reopened,
    round(100 * sumIf(days.reopened, recent) / nullIf(sumIf(days.ended, recent), 0), 1) AS percent,
    round(100 * sumIf(days.reopened, NOT recent) / nullIf(sumIf(days.ended, NOT recent), 0), 1) AS percent_before,
    round(percent - percent_before, 1) AS change_points
FROM ticket_days AS days
WHERE days.day > newest - 14
GROUP BY team
ORDER BY resolved DESC, team
