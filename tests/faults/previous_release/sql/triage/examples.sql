-- Corrected tickets that resemble a text: of the newest 300, at most 3 that share rare words with it, best first. A word
-- is rare when at most a tenth of them have it; it counts by how rare it is (the inverse document frequency of Spärck
-- Jones 1972, "A statistical interpretation of term specificity"). Two such words at least must be shared, so that no
-- chance word makes an example. The same words are one example. A label that nobody judged is NULL. Tickets from before
-- a reset are none.
-- $1 text
WITH recent AS MATERIALIZED (
    SELECT newest.id, newest.body, newest.category, newest.priority, words.buckets
    FROM triage_memory
    CROSS JOIN LATERAL (
        SELECT t.id, left(t.title || E'\n' || left(t.description, 500), 500) AS body,
            category_lesson(t) AS category, priority_lesson(t) AS priority
        FROM tickets AS t
        WHERE (t.category <> t.suggested_category OR t.priority <> t.suggested_priority)
            AND t.id >= uuid_v7_floor(least(triage_memory.since, '9999-12-31T00:00:00Z'))
        ORDER BY t.id DESC
        LIMIT 300
    ) AS newest
    CROSS JOIN LATERAL (SELECT array_agg(w.bucket ORDER BY w.bucket) FROM triage_words(newest.body) AS w) AS words (buckets)
),
texts AS MATERIALIZED (
    SELECT DISTINCT ON (recent.buckets) recent.* FROM recent ORDER BY recent.buckets, recent.id DESC
),
rare AS (
    SELECT bucket, ln((SELECT count(*) FROM texts)::float8 / count(*)) AS weight
    FROM texts, unnest(texts.buckets) AS bucket
    WHERE bucket IN (SELECT w.bucket FROM triage_words($1::text) AS w)
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
