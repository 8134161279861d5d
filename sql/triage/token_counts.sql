-- What was learned about a text: the weights of all words together, and each of its words, as it stands there, with
-- its weights or null. The weights are in hundredths of a word, by label. No row before anything was learned.
-- Retry: safe
-- $1 text
SELECT to_json(total.label_counts), json_agg(json_build_array(tokens.token, known.label_counts))
FROM triage_token_counts AS total
CROSS JOIN triage_tokens($1::text) AS tokens
LEFT JOIN LATERAL (
    SELECT w.label_counts FROM triage_token_counts AS w WHERE w.bucket = tokens.bucket OFFSET 0 -- by its index, never all of it
) AS known ON true
WHERE total.bucket = -1
GROUP BY total.bucket
