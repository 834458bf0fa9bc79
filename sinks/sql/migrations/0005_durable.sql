-- Offsets are committed once rows are in: they have to be on the disk then, not in its cache.
ALTER TABLE ticket_events MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;
ALTER TABLE ticket_decisions MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;
ALTER TABLE dead_letters MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;
