-- What each team got: how much of it decided alone, suggested or sent to review, and how urgent.
SELECT
    team,
    count() AS tickets,
    countIf(band = 'auto') AS auto,
    countIf(band = 'suggest') AS suggest,
    countIf(band = 'review') AS review,
    countIf(priority IN ('P1', 'P2')) AS urgent,
    round(avg(category_probability), 3) AS mean_p
FROM ticket_decisions
GROUP BY team
ORDER BY tickets DESC, team
