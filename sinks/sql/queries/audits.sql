-- Decisions that were drawn for an audit, by team: how sure they were, and how often the category stood, of the last 30 days.
SELECT
    team,
    count() AS audited,
    countIf(truth != '') AS judged,
    countIf(truth = category) AS right,
    round(100 * right / nullIf(judged, 0), 1) AS percent,
    round(100 * avgIf(category_probability, truth != ''), 1) AS claimed_percent
FROM
(
    SELECT tenant, source, ticket_id, team, category, category_probability
    FROM ticket_decisions
    WHERE arrayExists(reason -> reason.text = 'drawn for an audit' AND reason.weight = 0, reasons['category'])
        AND occurred_at > (SELECT max(occurred_at) FROM ticket_decisions) - INTERVAL 30 DAY
    ORDER BY src_topic, src_partition, src_offset
    LIMIT 1 BY decision_id
) AS decided
LEFT JOIN
(
    SELECT tenant, source, ticket_id, argMax(ifNull(value, ''), (occurred_at, src_offset)) AS truth
    FROM standing_feedback
    WHERE kind = 'correction' AND field = 'category'
    GROUP BY tenant, source, ticket_id
) AS judged_tickets USING (tenant, source, ticket_id)
GROUP BY team
ORDER BY audited DESC, team
