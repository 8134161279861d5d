-- Returns corrected tickets that resemble a text, best first: of the newest 300, at most 3 that share rare words with
-- it. A word is rare if at most a tenth of them have it, and weighs its inverse document frequency (Spärck Jones 1972,
-- "A statistical interpretation of term specificity"). Two shared words are the minimum, because one can be chance.
-- Texts with the same words count once. A label that nobody judged is NULL. Tickets from before a reset are left out.
-- Retry: safe
-- $1 text
WITH recent AS MATERIALIZED (
    SELECT newest.id, newest.body, newest.category, newest.priority, tokens.buckets
    FROM triage_training
    CROSS JOIN LATERAL (
        SELECT t.id, left(t.title || E'\n' || left(t.description, 500), 500) AS body,
            category_label(t) AS category, priority_label(t) AS priority
        FROM tickets AS t
        WHERE (t.category <> t.suggested_category OR t.priority <> t.suggested_priority)
            AND (category_label(t) IS NOT NULL OR priority_label(t) IS NOT NULL)
            AND t.id >= uuid_v7_floor(least(triage_training.cutoff, '9999-12-31T00:00:00Z'))
        ORDER BY t.id DESC
        LIMIT 300
    ) AS newest
    CROSS JOIN LATERAL (
        SELECT array_agg(token.bucket ORDER BY token.bucket) FROM triage_tokens(newest.body) AS token
    ) AS tokens (buckets)
),
texts AS MATERIALIZED (
    SELECT DISTINCT ON (recent.buckets) recent.* FROM recent ORDER BY recent.buckets, recent.id DESC
),
rare AS (
    SELECT bucket, ln((SELECT count(*) FROM texts)::float8 / count(*)) AS weight
    FROM texts, unnest(texts.buckets) AS bucket
    WHERE bucket IN (SELECT token.bucket FROM triage_tokens($1::text) AS token)
    GROUP BY bucket
    HAVING count(*) <= greatest(2, (SELECT count(*) FROM texts) / 10)
)
SELECT texts.body, texts.category, texts.priority
FROM texts
JOIN rare ON rare.bucket = ANY (texts.buckets)
GROUP BY texts.id, texts.body, texts.category, texts.priority
HAVING count(*) >= 2
ORDER BY sum(rare.weight) DESC, texts.id DESC
LIMIT 3
