-- Returns the matches that the index by text finds, in the order of the list, at most a page, if the search is rare: four
-- weeks, spread over all, have few hits. Otherwise returns a row without JSON.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 rare_hits: how many hits are few
WITH weeks AS (
    SELECT
        (SELECT t.week FROM ticket_texts AS t ORDER BY t.id DESC LIMIT 1) AS last,
        (SELECT t.week FROM ticket_texts AS t ORDER BY t.id LIMIT 1) AS first
),
sample AS MATERIALIZED (
    SELECT
    FROM weeks
    CROSS JOIN generate_series(0, 3) AS part
    CROSS JOIN LATERAL (
        SELECT
        FROM ticket_texts AS x
        WHERE x.week = weeks.first + (weeks.last - weeks.first) * part / 3
            AND /* include: text_index */ true
        OFFSET 0
    ) AS hit
    LIMIT $2::integer + 1
),
matches AS (
    SELECT /* include: ticket_or_size */ t AS json, t.id, /* include: key */ t.updated_at AS key
    FROM (
        SELECT x.id
        FROM ticket_texts AS x
        WHERE (SELECT count(*) <= $2::integer FROM sample)
            AND /* include: text_index */ true
            AND /* include: text */ true
        OFFSET 0
    ) AS x
    CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = x.id OFFSET 0) AS t
    WHERE /* include: behind */ true
        AND /* include: filters */ true
    ORDER BY /* include: in_order */ id
    LIMIT $1::integer
)
SELECT json, id, key FROM matches
UNION ALL
SELECT NULL, NULL, NULL FROM sample HAVING count(*) > $2::integer
