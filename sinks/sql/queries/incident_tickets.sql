-- The tickets of the newest incidents, the newest first: what each is about, and to whom it went.
SELECT
    incidents.opened_at AS opened_at,
    incidents.subject AS incident,
    incidents.stage AS stage,
    tickets.tenant AS tenant,
    tickets.ticket_id AS ticket_id,
    tickets.subject AS subject,
    tickets.priority AS priority,
    tickets.queue AS queue,
    tickets.occurred_at AS occurred_at
FROM
(
    SELECT * FROM ticket_decisions
    WHERE isNotNull(incident_id)
    ORDER BY occurred_at DESC, src_offset DESC
    LIMIT 1 BY tenant, ticket_id
) AS tickets
LEFT JOIN incidents ON incidents.incident_id = assumeNotNull(tickets.incident_id)
ORDER BY opened_at DESC, occurred_at DESC, tenant, ticket_id
LIMIT 50
