-- Words of subjects that came no more, or far less, in the last seven days, by how surely (signed G2 against the days before); 10.83 is once in a thousand by chance.
WITH
    (SELECT max(day) FROM subject_words) AS newest,
    (SELECT toFloat64(sumIf(tickets, day > newest - 7)) FROM subject_words WHERE word = '') AS total,
    (SELECT toFloat64(sumIf(tickets, day <= newest - 7)) FROM subject_words WHERE word = '') AS total_before,
    -- A word that is gone counts as half a ticket, as one that is new does in emerging_words.
    greatest(toFloat64(tickets_7d), 0.5) AS recent,
    total * (recent + before) / (total + total_before) AS mean,
    total_before * (recent + before) / (total + total_before) AS base_mean
SELECT
    word,
    tickets_7d,
    before,
    round(before * total / total_before, 1) AS expected,
    round(2 * (
        recent * log(recent / mean)
        + (total - recent) * log(greatest(total - recent, 1e-9) / greatest(total - mean, 1e-9))
        + before * log(before / base_mean)
        + (total_before - before) * log(greatest(total_before - before, 1e-9) / greatest(total_before - base_mean, 1e-9))
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
WHERE total > 0 AND total_before > 0 AND before >= 3 AND tickets_7d / total < before / total_before AND g2 >= 10.83
ORDER BY g2 DESC, word
LIMIT 30
