-- Returns the matches among all comments and, if the search is in both, all texts of tickets, last changed first or, as
-- `urgent`, most urgent first, then newest first, at most a page. If there are too many hits, returns a row without JSON that
-- repeats $2 and $3.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 after_id: the id of the last ticket scanned
-- $3 after_key: its updated_at; for urgent: its priority
-- $4 max_hits: how many hits are read
WITH hits AS MATERIALIZED (
    SELECT x.id FROM /* include: comment_hits */ tickets AS x (id) LIMIT $4::integer + 1
),
matches AS (
    SELECT /* include: ticket_or_size */ t AS json, t.id, /* urgent: t.priority */ t.updated_at AS key
    FROM (SELECT DISTINCT hits.id FROM hits WHERE (SELECT count(*) FROM hits) <= $4::integer) AS x
    JOIN tickets AS t ON t.id = x.id
    WHERE (/* urgent: t.priority */ t.updated_at, t.id) < (/* urgent: $3::ticket_priority */ $3::timestamptz, $2::uuid)
        AND /* include: filters */ true
    ORDER BY key DESC, t.id DESC
    LIMIT $1::integer
)
SELECT json, id, key FROM matches
UNION ALL
SELECT NULL, $2::uuid, /* urgent: $3::ticket_priority */ $3::timestamptz FROM hits HAVING count(*) > $4::integer
