-- What people answered to incidents: the newest answer of each kind, the newest last.
ALTER TABLE alerts ADD COLUMN IF NOT EXISTS answers Array(Tuple(
    answer_id String, kind String, actor String, reason String, at DateTime64(3, 'UTC'), until Nullable(DateTime64(3, 'UTC'))
)) AFTER note;

CREATE OR REPLACE VIEW incidents AS
SELECT * FROM alerts ORDER BY at DESC, src_offset DESC LIMIT 1 BY incident_id;
