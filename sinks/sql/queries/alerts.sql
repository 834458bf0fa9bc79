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
    arrayStringConcat(arrayMap(item -> concat(item.kind, ' by ', item.actor), answers), ', ') AS answered,
    note
FROM alerts
ORDER BY at DESC, incident_id, src_offset
LIMIT 1 BY incident_id, at, stage, answers
LIMIT 50
