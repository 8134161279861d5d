-- Returns a page of a ticket's comments in the order in which they were made, newest first, and at most one more than fits.
-- No row when there is no such ticket; a row without a comment when no comment is left. Comments are read one by one,
-- because the size of their JSON is not known before.
-- Retry: safe
-- $1 ticket_id
-- $2 after_version: the version that the last comment of the previous page made; NULL for the first page
-- $3 visible: whether internal comments are returned, and whether others are, as values of `internal`
-- $4 limit
-- $5 page_bytes: after how many bytes of JSON no further comment is read
WITH RECURSIVE page (json, version, bytes, place) AS (
    SELECT NULL::text, coalesce($2::bigint, /* oldest: 0 */ 2147483648), 0::bigint, 0
    UNION ALL
    SELECT next.json, next.version, previous.bytes + octet_length(next.json), previous.place + 1
    FROM page AS previous
    CROSS JOIN LATERAL (
        SELECT comment_json(c) AS json, c.version::bigint AS version
        FROM comments AS c
        WHERE c.ticket_id = $1::uuid
            AND c.version /* oldest: > */ < previous.version
            AND c.internal = ANY ($3::boolean[])
        ORDER BY c.version /* oldest: ASC */ DESC
        LIMIT 1
    ) AS next
    WHERE previous.place < $4::integer AND previous.bytes <= $5::bigint
)
SELECT page.json, page.version
FROM tickets AS t
LEFT JOIN page ON page.place > 0
WHERE t.id = $1::uuid
ORDER BY page.place
