-- How many percent were answered and resolved within their priority's time (sla_targets), by priority and team: tickets of the last seven days, and the seven before.
WITH
    (SELECT max(day) FROM ticket_days) AS newest,
    days.day > newest - 7 AS recent
SELECT
    days.priority AS priority,
    days.team AS team,
    sumIf(days.tickets, recent) AS tickets,
    -- A ticket whose time is not up yet is neither.
    round(100 * sumIf(days.answered_early, recent) / nullIf(sumIf(days.answered_early + days.answered_late, recent), 0), 1) AS answered_percent,
    round(100 * sumIf(days.answered_early, NOT recent) / nullIf(sumIf(days.answered_early + days.answered_late, NOT recent), 0), 1) AS answered_percent_before,
    round(100 * sumIf(days.resolved_early, recent) / nullIf(sumIf(days.resolved_early + days.resolved_late, recent), 0), 1) AS resolved_percent,
    round(100 * sumIf(days.resolved_early, NOT recent) / nullIf(sumIf(days.resolved_early + days.resolved_late, NOT recent), 0), 1) AS resolved_percent_before
FROM ticket_days AS days
WHERE days.day > newest - 14
GROUP BY priority, team
ORDER BY priority, tickets DESC, team
