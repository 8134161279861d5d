-- Returns the matches among all comments and, if the search is in both, all texts of tickets, newest first, at most a page. If
-- there are too many hits, returns a row without JSON that repeats $2.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 after_id: the id of the last ticket scanned
-- $3 max_hits: how many hits are read
WITH hits AS MATERIALIZED (
    SELECT x.id FROM /* include: comment_hits */ tickets AS x (id) LIMIT $3::integer + 1
),
matches AS (
    SELECT /* include: ticket_or_size */ t AS json, t.id
    FROM (SELECT DISTINCT hits.id FROM hits WHERE (SELECT count(*) FROM hits) <= $3::integer) AS x
    JOIN tickets AS t ON t.id = x.id
    WHERE t.id /* oldest: > */ < $2::uuid
        AND /* include: filters */ true
    ORDER BY t.id /* oldest: ASC */ DESC
    LIMIT $1::integer
)
SELECT json, id, NULL FROM matches
UNION ALL
SELECT NULL, $2::uuid, NULL FROM hits HAVING count(*) > $3::integer
