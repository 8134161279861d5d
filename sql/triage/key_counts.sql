-- Returns what one API key taught: all its label counts, and those of each token of a text, in the order of the
-- parameters, or null. It is the key with the largest share of these tokens, of those that have taught less than all
-- others together. No row when none of them taught any of the tokens.
-- Retry: safe
-- $1 buckets: of the tokens
-- $2 counts: the sum of all label counts of each token
WITH minor AS MATERIALIZED (
    SELECT a.author, a.label_counts
    FROM triage_author_counts AS a
    JOIN triage_token_counts AS total USING (bucket)
    WHERE a.bucket = -1 AND 2 * triage_total(a.label_counts) < triage_total(total.label_counts)
),
leader AS MATERIALIZED (
    SELECT minor.author, minor.label_counts
    FROM unnest($1::integer[], $2::bigint[]) AS token (bucket, count)
    CROSS JOIN LATERAL (
        SELECT a.author, triage_total(a.label_counts)::float8 AS count
        FROM triage_author_counts AS a
        WHERE a.bucket = token.bucket
        OFFSET 0 -- forces an index lookup for each token
    ) AS taught
    JOIN minor USING (author)
    WHERE token.count > 0 AND taught.count > 0
    GROUP BY minor.author, minor.label_counts
    ORDER BY sum(taught.count / token.count) DESC, minor.author
    LIMIT 1
)
SELECT to_json(leader.label_counts), json_agg(taught.label_counts ORDER BY token.position)
FROM leader
CROSS JOIN unnest($1::integer[]) WITH ORDINALITY AS token (bucket, position)
LEFT JOIN LATERAL (
    SELECT a.label_counts
    FROM triage_author_counts AS a
    WHERE a.bucket = token.bucket AND a.author = leader.author
    OFFSET 0
) AS taught ON true
GROUP BY leader.label_counts
