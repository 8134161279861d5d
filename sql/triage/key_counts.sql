-- Returns what one API key taught: all its label counts, and those of each token of a text, in the order of
-- triage.token_counts, or null. It is the key with the largest share of these tokens, of those that have taught less than
-- all others together. No row when none of them taught any of the tokens.
-- Retry: safe
-- $1 text
WITH minor AS MATERIALIZED (
    SELECT a.author, a.label_counts
    FROM triage_author_counts AS a
    JOIN triage_token_counts AS total USING (bucket)
    WHERE a.bucket = -1 AND triage_is_minor(a.label_counts, total.label_counts)
),
tokens AS MATERIALIZED (
    SELECT token.bucket FROM triage_tokens($1::text) AS token
),
leader AS MATERIALIZED (
    SELECT minor.author, minor.label_counts
    FROM tokens
    CROSS JOIN LATERAL (
        SELECT a.author, triage_total(a.label_counts)::float8 AS count
        FROM triage_author_counts AS a
        WHERE a.bucket = tokens.bucket
        OFFSET 0 -- forces an index lookup for each token
    ) AS taught
    CROSS JOIN LATERAL (
        SELECT triage_total(w.label_counts) AS count
        FROM triage_token_counts AS w
        WHERE w.bucket = tokens.bucket
        OFFSET 0
    ) AS known
    JOIN minor USING (author)
    WHERE taught.count > 0
    GROUP BY minor.author, minor.label_counts
    ORDER BY sum(taught.count / known.count) DESC, minor.author
    LIMIT 1
)
SELECT to_json(leader.label_counts), json_agg(taught.label_counts)
FROM leader
CROSS JOIN tokens
LEFT JOIN LATERAL (
    SELECT a.label_counts
    FROM triage_author_counts AS a
    WHERE a.bucket = tokens.bucket AND a.author = leader.author
    OFFSET 0
) AS taught ON true
GROUP BY leader.label_counts
