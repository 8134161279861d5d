-- Returns the label counts of all tokens together, and each token of a text, as it is written there, with its label
-- counts or null. The counts are in hundredths of a token, by label. No row before anything was learned.
-- Of the API keys that have taught less than all others together, the one with the largest share of these tokens is
-- returned too: all its label counts, or null if there is no such key, and those of each token.
-- Retry: safe
-- $1 text
WITH total AS MATERIALIZED (
    SELECT w.label_counts FROM triage_token_counts AS w WHERE w.bucket = -1
),
minor AS MATERIALIZED (
    SELECT a.author, a.label_counts
    FROM triage_author_counts AS a
    CROSS JOIN total
    WHERE a.bucket = -1 AND 2 * triage_total(a.label_counts) < triage_total(total.label_counts)
),
tokens AS MATERIALIZED (
    SELECT token.bucket, token.token, known.label_counts
    FROM triage_tokens($1::text) AS token
    LEFT JOIN LATERAL (
        SELECT w.label_counts
        FROM triage_token_counts AS w
        WHERE w.bucket = token.bucket
        OFFSET 0 -- forces an index lookup for each token
    ) AS known ON true
),
leader AS MATERIALIZED (
    SELECT minor.author, minor.label_counts
    FROM tokens
    CROSS JOIN LATERAL (
        SELECT a.author, a.label_counts FROM triage_author_counts AS a WHERE a.bucket = tokens.bucket OFFSET 0
    ) AS taught
    JOIN minor USING (author)
    WHERE EXISTS (SELECT FROM minor) AND triage_total(tokens.label_counts) > 0
    GROUP BY minor.author, minor.label_counts
    ORDER BY sum(triage_total(taught.label_counts)::float8 / triage_total(tokens.label_counts)) DESC, minor.author
    LIMIT 1
)
SELECT
    to_json(total.label_counts),
    to_json((SELECT leader.label_counts FROM leader)),
    json_agg(json_build_array(tokens.token, tokens.label_counts, taught.label_counts))
FROM total
CROSS JOIN tokens
LEFT JOIN LATERAL (
    SELECT a.label_counts
    FROM triage_author_counts AS a
    WHERE a.bucket = tokens.bucket AND a.author = (SELECT leader.author FROM leader)
    OFFSET 0
) AS taught ON true
GROUP BY total.label_counts
