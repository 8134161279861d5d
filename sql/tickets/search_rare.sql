-- Returns the matches that the index by text finds, newest first, at most a page, if the search is rare: four weeks,
-- spread over those that remain, have few hits. Otherwise returns a row without JSON that repeats $2.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 after_id: the id of the last ticket scanned
-- $3 rare_hits: how many hits are few
WITH ends AS (
    SELECT ticket_week($2::uuid) AS first_week, last.week AS last_week
    FROM (
        SELECT t.week
        FROM ticket_texts AS t
        WHERE /* include: created */ true
        ORDER BY t.id /* oldest: DESC */ ASC
        LIMIT 1
    ) AS last
),
sample AS MATERIALIZED (
    SELECT count(*) AS hits FROM /* include: week_sample */ tickets AS hit
),
index_matches AS (
    SELECT t.id, /* include: ticket_or_size */ t AS json
    FROM (
        SELECT x.id
        FROM ticket_texts AS x
        WHERE (SELECT sample.hits <= $3::integer FROM sample)
            AND x.id /* oldest: > */ < $2::uuid
            AND /* include: text_index */ true
            AND /* include: text */ true
        OFFSET 0
    ) AS x
    CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = x.id OFFSET 0) AS t
    WHERE /* include: filters */ true
    ORDER BY x.id /* oldest: ASC */ DESC
    LIMIT $1::integer
)
SELECT json, id, NULL FROM index_matches
UNION ALL
SELECT NULL, $2::uuid, NULL FROM sample WHERE sample.hits > $3::integer
