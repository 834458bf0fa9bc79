-- The open incident that a ticket belonged to when it was decided.
ALTER TABLE ticket_decisions ADD COLUMN IF NOT EXISTS incident_id Nullable(String) AFTER models;

CREATE OR REPLACE VIEW ticket_decisions_latest AS
SELECT * FROM ticket_decisions ORDER BY occurred_at DESC, src_offset DESC LIMIT 1 BY tenant, ticket_id;
