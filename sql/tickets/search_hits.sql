-- Returns the matches among all comments and, if the search is in both, all texts of tickets, in the order of the list, at most
-- a page. If there are too many hits, returns a row without JSON.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 max_hits: how many hits are read
WITH hits AS MATERIALIZED (
    SELECT x.id FROM /* include: comment_hits */ tickets AS x (id) LIMIT $2::integer + 1
),
matches AS (
    SELECT /* include: ticket_or_size */ t AS json, t.id, /* include: key */ t.updated_at AS key
    FROM (SELECT DISTINCT hits.id FROM hits WHERE (SELECT count(*) FROM hits) <= $2::integer) AS x
    JOIN tickets AS t ON t.id = x.id
    WHERE /* include: behind */ true
        AND /* include: filters */ true
    ORDER BY /* include: in_order */ id
    LIMIT $1::integer
)
SELECT json, id, key FROM matches
UNION ALL
SELECT NULL, NULL, NULL FROM hits HAVING count(*) > $2::integer
