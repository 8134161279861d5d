-- Returns the label counts of all tokens together, whether there are API keys that have taught less than all others
-- together, and each token of a text, as it is written there, with its label counts or null. The counts are in hundredths
-- of a token, by label. No row before anything was learned.
-- Retry: safe
-- $1 text
SELECT to_json(total.label_counts), total.has_minor_keys, json_agg(json_build_array(tokens.token, known.label_counts))
FROM triage_token_counts AS total
CROSS JOIN triage_tokens($1::text) AS tokens
LEFT JOIN LATERAL (
    SELECT w.label_counts
    FROM triage_token_counts AS w
    WHERE w.bucket = tokens.bucket
    OFFSET 0 -- forces an index lookup for each token
) AS known ON true
WHERE total.bucket = -1
GROUP BY total.bucket, total.label_counts, total.has_minor_keys
