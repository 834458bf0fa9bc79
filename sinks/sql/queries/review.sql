-- The newest tickets that wait for a person, with the three best categories.
SELECT
    occurred_at,
    ticket_id,
    priority,
    language,
    substring(subject, 1, 60) AS subject,
    arrayStringConcat(arrayMap(item -> concat(item.label, ' ', toString(round(item.probability, 2))), top['category']), ', ') AS best_three
FROM ticket_decisions_latest
WHERE band = 'review'
ORDER BY occurred_at DESC, ticket_id
LIMIT 20
