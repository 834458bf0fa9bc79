-- How good decisions were that people said something about, by head and day on which they said it: the last 28 days.
SELECT
    toDate(judged_at) AS day,
    head,
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
WHERE judged_at > (SELECT max(judged_at) FROM judged_answers) - INTERVAL 28 DAY
GROUP BY day, head
ORDER BY day DESC, head
