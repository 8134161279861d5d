-- What was learned about a text: the weights of all words together, and each of its words, as it stands there, with
-- its weights or null. The weights are in hundredths of a word, by label. No row before anything was learned.
-- $1 text
SELECT to_json(total.weights), json_agg(json_build_array(words.word, known.weights))
FROM triage_weights AS total
CROSS JOIN triage_words($1::text) AS words
LEFT JOIN LATERAL (
    SELECT w.weights FROM triage_weights AS w WHERE w.bucket = words.bucket OFFSET 0 -- by its index, never all of it
) AS known ON true
WHERE total.bucket = -1
GROUP BY total.bucket
