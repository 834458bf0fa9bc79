-- How good decisions were that people said something about, by head and day on which they said it: the last 28 days.
SELECT
    toDate(value) AS day,
    * EXCEPT (dimension, value)
FROM judged_figures
WHERE dimension = 'day'
ORDER BY day DESC, head
