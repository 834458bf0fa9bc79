-- The newest incidents: what rose, by how much, in which words, whose it is, and whether it is over.
SELECT
    opened_at,
    stage,
    team,
    subject,
    round(observed) AS tickets,
    round(expected, 1) AS usual,
    requesters,
    arrayStringConcat(arrayMap(item -> item.text, arraySlice(terms, 1, 3)), ', ') AS words,
    first_ticket,
    arrayStringConcat(arrayMap(item -> concat(item.kind, ' by ', item.actor), answers), ', ') AS answered,
    page
FROM incidents
ORDER BY opened_at DESC, incident_id
LIMIT 20
