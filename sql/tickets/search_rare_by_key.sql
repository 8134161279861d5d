-- Returns the matches that the index by text finds, last changed first or, as `urgent`, most urgent first, at most a page, if
-- the search is rare: four weeks, spread over all, have few hits. Otherwise returns a row without JSON that repeats $2 and $3.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 after_id: the id of the last ticket scanned
-- $3 after_key: its updated_at; for urgent: its priority
-- $4 rare_hits: how many hits are few
WITH ends AS (
    SELECT
        (SELECT t.week FROM ticket_texts AS t WHERE /* include: created */ true ORDER BY t.id DESC LIMIT 1) AS first_week,
        (SELECT t.week FROM ticket_texts AS t WHERE /* include: created */ true ORDER BY t.id LIMIT 1) AS last_week
),
sample AS MATERIALIZED (
    SELECT count(*) AS hits FROM /* include: week_sample */ tickets AS hit
),
index_matches AS (
    SELECT /* include: ticket_or_size */ t AS json, t.id, /* urgent: t.priority */ t.updated_at AS key
    FROM (
        SELECT x.id
        FROM ticket_texts AS x
        WHERE (SELECT sample.hits <= $4::integer FROM sample)
            AND /* include: text_index */ true
            AND /* include: text */ true
        OFFSET 0
    ) AS x
    JOIN tickets AS t ON t.id = x.id
    WHERE (/* urgent: t.priority */ t.updated_at, t.id) < (/* urgent: $3::ticket_priority */ $3::timestamptz, $2::uuid)
        AND /* include: filters */ true
    ORDER BY key DESC, t.id DESC
    LIMIT $1::integer
)
SELECT json, id, key FROM index_matches
UNION ALL
SELECT NULL, $2::uuid, /* urgent: $3::ticket_priority */ $3::timestamptz FROM sample WHERE sample.hits > $4::integer
