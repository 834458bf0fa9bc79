-- Minutes until a ticket's first answer, by the team that has it: tickets of the last seven days, and the seven before.
WITH
    (SELECT max(day) FROM ticket_days) AS newest,
    days.day > newest - 7 AS recent
SELECT
    days.team AS team,
    sumIf(days.tickets, recent) AS tickets,
    sumIf(days.unanswered, recent) AS unanswered,
    if(sumIf(days.tickets - days.unanswered, recent) = 0, NULL, round(quantilesExactMergeIf(0.5, 0.9)(days.response, recent)[1] / 60, 1)) AS p50_min,
    if(sumIf(days.tickets - days.unanswered, recent) = 0, NULL, round(quantilesExactMergeIf(0.5, 0.9)(days.response, recent)[2] / 60, 1)) AS p90_min,
    if(sumIf(days.tickets - days.unanswered, NOT recent) = 0, NULL, round(quantilesExactMergeIf(0.5, 0.9)(days.response, NOT recent)[1] / 60, 1)) AS p50_min_before,
    round(100 * (p50_min - p50_min_before) / nullIf(p50_min_before, 0), 1) AS change_percent
FROM ticket_days AS days
WHERE days.day > newest - 14
GROUP BY team
ORDER BY tickets DESC, team
