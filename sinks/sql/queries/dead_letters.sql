-- Records that could not be handled, by stage and error, with the newest example.
SELECT
    stage,
    exception,
    count() AS records,
    max(failed_at) AS newest,
    argMax(concat(src_topic, '[', toString(src_partition), ']@', toString(src_offset)), failed_at) AS newest_position,
    argMax(substring(message, 1, 80), failed_at) AS newest_message
FROM dead_letters
GROUP BY stage, exception
ORDER BY records DESC, stage, exception
