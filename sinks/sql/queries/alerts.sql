-- What was told of incidents, the newest first, each word once.
SELECT
    at,
    stage,
    team,
    subject,
    round(observed) AS tickets,
    round(expected, 1) AS usual,
    round(score, 1) AS score,
    arrayStringConcat(examples, ', ') AS example_tickets,
    note
FROM alerts
ORDER BY at DESC, incident_id, src_offset
LIMIT 1 BY incident_id, at
LIMIT 50
