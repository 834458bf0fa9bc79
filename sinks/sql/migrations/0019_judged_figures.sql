-- How good decisions were that people said something about, over the newest 28 days of what they said: by head, and within
-- it by team, tenant, language and the day on which they said it.
CREATE MATERIALIZED VIEW IF NOT EXISTS judged_figures REFRESH EVERY 30 MINUTE DEPENDS ON judged_answers
(
    head                LowCardinality(String),
    dimension           LowCardinality(String),
    value               String,
    judged              UInt64,
    accuracy_percent    Float64,
    macro_f1            Float64,
    ece                 Float64,
    auto_percent        Float64,
    delay_hours_median  Float64,
    delay_hours_p90     Float64
)
ENGINE = MergeTree ORDER BY (head, dimension, value)
EMPTY
AS
SELECT
    head,
    dimension,
    value,
    count() AS judged,
    round(100 * avg(truth = said), 1) AS accuracy_percent,
    round(arrayAvg(
        label -> 2 * sumMap(map(toString(truth), toUInt64(truth = said)))[label]
            / (sumMap(map(toString(truth), toUInt64(1)))[label] + sumMap(map(toString(said), toUInt64(1)))[label]),
        mapKeys(sumMap(map(toString(truth), toUInt64(1))))
    ), 3) AS macro_f1,
    -- 15 bins of equal width, as `triage evaluate` has them.
    round(arraySum(
        gap -> abs(gap), mapValues(sumMap(map(toUInt8(least(floor(probability * 15), 14)), (truth = said) - probability)))
    ) / count(), 3) AS ece,
    round(100 * avg(band = 'auto'), 1) AS auto_percent,
    round(quantileExact(0.5)(delay_seconds) / 3600, 2) AS delay_hours_median,
    round(quantileExact(0.9)(delay_seconds) / 3600, 2) AS delay_hours_p90
FROM judged_answers
ARRAY JOIN
    ['all', 'team', 'tenant', 'language', 'day'] AS dimension,
    ['all', team, tenant, language, toString(toDate(judged_at))] AS value
WHERE judged_at > (SELECT max(judged_at) FROM judged_answers) - INTERVAL 28 DAY
GROUP BY head, dimension, value
SETTINGS max_threads = 2;
