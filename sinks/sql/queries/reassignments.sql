-- How many tickets people moved to another team, by the team that has them: tickets of the last seven days, and the seven before.
WITH
    (SELECT max(day) FROM ticket_days) AS newest,
    days.day > newest - 7 AS recent
SELECT
    days.team AS team,
    sumIf(days.tickets, recent) AS tickets,
    sumIf(days.moved, recent) AS moved,
    round(100 * sumIf(days.moved, recent) / nullIf(sumIf(days.tickets, recent), 0), 1) AS percent,
    round(100 * sumIf(days.moved, NOT recent) / nullIf(sumIf(days.tickets, NOT recent), 0), 1) AS percent_before,
    round(percent - percent_before, 1) AS change_points,
    maxIf(days.most_moves, recent) AS most_moves
FROM ticket_days AS days
WHERE days.day > newest - 14
GROUP BY team
ORDER BY tickets DESC, team
