-- How many tickets decided as P1 or P2 a person lowered to P3 or P4, by the team decided for: tickets of the last seven days, and the seven before.
WITH
    (SELECT max(day) FROM ticket_days) AS newest,
    days.day > newest - 7 AS recent
SELECT
    days.decided_team AS team,
    sumIf(days.escalated, recent) AS escalated,
    sumIf(days.lowered, recent) AS unnecessary,
    round(100 * sumIf(days.lowered, recent) / nullIf(sumIf(days.escalated, recent), 0), 1) AS percent,
    round(100 * sumIf(days.lowered, NOT recent) / nullIf(sumIf(days.escalated, NOT recent), 0), 1) AS percent_before,
    round(percent - percent_before, 1) AS change_points
FROM ticket_days AS days
WHERE days.day > newest - 14
GROUP BY team
ORDER BY escalated DESC, team
