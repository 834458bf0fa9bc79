-- Hours until a ticket was resolved for good, by the team that has it: tickets of the last seven days, and the seven before.
WITH
    (SELECT max(day) FROM ticket_days) AS newest,
    days.day > newest - 7 AS recent
SELECT
    days.team AS team,
    sumIf(days.tickets, recent) AS tickets,
    sumIf(days.unresolved, recent) AS unresolved,
    if(sumIf(days.tickets - days.unresolved, recent) = 0, NULL, round(quantilesExactMergeIf(0.5, 0.9)(days.resolution, recent)[1] / 3600, 2)) AS p50_h,
    if(sumIf(days.tickets - days.unresolved, recent) = 0, NULL, round(quantilesExactMergeIf(0.5, 0.9)(days.resolution, recent)[2] / 3600, 2)) AS p90_h,
    if(sumIf(days.tickets - days.unresolved, NOT recent) = 0, NULL, round(quantilesExactMergeIf(0.5, 0.9)(days.resolution, NOT recent)[1] / 3600, 2)) AS p50_h_before,
    round(100 * (p50_h - p50_h_before) / nullIf(p50_h_before, 0), 1) AS change_percent
FROM ticket_days AS days
WHERE days.day > newest - 14
GROUP BY team
ORDER BY tickets DESC, team
