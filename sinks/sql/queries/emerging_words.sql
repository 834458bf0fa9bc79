-- Words of subjects that came up in the last seven days, by how surely (signed G2 against the days before); 10.83 is once in a thousand by chance.
WITH
    (SELECT max(day) FROM subject_words) AS newest,
    (SELECT toFloat64(sumIf(tickets, day > newest - 7)) FROM subject_words WHERE word = '') AS total,
    (SELECT toFloat64(sumIf(tickets, day <= newest - 7)) FROM subject_words WHERE word = '') AS total_before,
    -- A word that was never seen counts as half a ticket, so that the new is not infinite.
    greatest(toFloat64(before), 0.5) AS base,
    total * (tickets_7d + base) / (total + total_before) AS mean,
    total_before * (tickets_7d + base) / (total + total_before) AS base_mean
SELECT
    word,
    tickets_7d,
    before,
    round(base * total / total_before, 1) AS expected,
    round(2 * (
        tickets_7d * log(tickets_7d / mean)
        + (total - tickets_7d) * log(greatest(total - tickets_7d, 1e-9) / greatest(total - mean, 1e-9))
        + base * log(base / base_mean)
        + (total_before - base) * log(greatest(total_before - base, 1e-9) / greatest(total_before - base_mean, 1e-9))
    ), 1) AS g2
FROM
(
    SELECT
        word,
        sumIf(tickets, day > newest - 7) AS tickets_7d,
        sumIf(tickets, day <= newest - 7) AS before
    FROM subject_words
    WHERE word != ''
    GROUP BY word
)
WHERE total_before > 0 AND tickets_7d >= 3 AND tickets_7d / total > base / total_before AND g2 >= 10.83
ORDER BY g2 DESC, word
LIMIT 30
