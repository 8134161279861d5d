-- Returns a page of events after a cursor, oldest first, and at most one event more than fits: the JSON of each, its id, and
-- how many seconds ago its change was begun. One row without an event if there is none, to tell a cursor that is gone from
-- the end of the feed: then is_gone is true. Events are read one by one, because their size is not known before.
-- Retry: safe
-- Position: after
-- $1 generation: of the cursor; NULL reads from the oldest event that is kept
-- $2 seq: of the cursor
-- $3 limit
-- $4 page_bytes: after how many bytes of JSON no further event is read, except one after the first
-- $5 without_internal: whether to hide internal comments
WITH RECURSIVE start AS MATERIALIZED (
    SELECT CASE
        WHEN $1::text IS NULL THEN coalesce((SELECT min(e.seq) FROM events AS e), 1) - 1
        ELSE event_seq($1::text, $2::bigint)
    END AS seq
),
page (json, seq, at, bytes, place) AS (
    SELECT NULL::text, start.seq, NULL::timestamptz, 0::bigint, 0
    FROM start
    UNION ALL
    SELECT next.json, next.seq, next.at, previous.bytes + octet_length(next.json), previous.place + 1
    FROM page AS previous
    CROSS JOIN LATERAL (
        SELECT event_json(event_id(e.seq), visible.entry, c.body) AS json, e.seq, e.at
        FROM events AS e
        CROSS JOIN LATERAL event_entry(e.ticket_id, e.entry) AS h
        CROSS JOIN LATERAL (SELECT visible_entry(h, $5::boolean) AS entry OFFSET 0) AS visible
        LEFT JOIN comments AS c ON c.id = ((visible.entry).comment ->> 'id')::uuid
        WHERE e.seq > previous.seq
        ORDER BY e.seq
        LIMIT 1
    ) AS next
    WHERE previous.place < $3::integer AND (previous.bytes <= $4::bigint OR previous.place = 1)
)
SELECT
    page.json,
    event_id(page.seq) AS id,
    page.seq IS NULL AS is_gone,
    extract(epoch FROM clock_timestamp() - page.at)::float8 AS age
FROM page
WHERE page.place > 0 OR NOT EXISTS (SELECT FROM page AS other WHERE other.place > 0)
ORDER BY page.place
