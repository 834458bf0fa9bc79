-- What a ticket is about in its source's words, as the series `product=` and `tag=` count it.
ALTER TABLE ticket_events ADD COLUMN IF NOT EXISTS product LowCardinality(String) AFTER channel;
ALTER TABLE ticket_decisions ADD COLUMN IF NOT EXISTS product LowCardinality(String) AFTER channel;
ALTER TABLE ticket_decisions ADD COLUMN IF NOT EXISTS tags Array(LowCardinality(String)) AFTER product;

CREATE OR REPLACE VIEW ticket_decisions_latest AS
SELECT * FROM ticket_decisions ORDER BY occurred_at DESC, src_offset DESC LIMIT 1 BY tenant, ticket_id;

-- As before, and by product and tag: a ticket without either is in none of these, one with several tags in each.
ALTER TABLE ticket_volumes MODIFY QUERY
SELECT toStartOfHour(occurred_at) AS hour, place.1 AS dimension, place.2 AS value, count() AS tickets
FROM ticket_decisions
ARRAY JOIN arrayConcat(
    [
        ('all', 'all'),
        ('category', toString(category)),
        ('team', toString(team)),
        ('priority', toString(priority)),
        ('language', toString(language)),
        ('channel', toString(channel)),
        ('tenant', toString(tenant))
    ],
    if(product = '', [], [('product', toString(product))]),
    arrayMap(tag -> ('tag', toString(tag)), tags)
) AS place
WHERE kind = 'created' AND occurred_at > (SELECT max(occurred_at) FROM ticket_decisions) - INTERVAL 35 DAY
GROUP BY hour, dimension, value
SETTINGS max_threads = 2;
