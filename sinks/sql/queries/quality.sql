-- How good decisions were that people said something about, by head and by team, tenant and language: the last 28 days.
SELECT *
FROM judged_figures
WHERE dimension != 'day'
ORDER BY head, indexOf(['all', 'team', 'tenant', 'language'], dimension), judged DESC, value
