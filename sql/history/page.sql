-- Returns a page of a ticket's history, oldest entry first, and at most one entry more than fits. No row when the ticket
-- never existed, or past the last entry. Entries are read one by one, because their size is not known before: a change of
-- a description has both texts.
-- Retry: safe
-- $1 id
-- $2 after_entry: the number of the last entry of the previous page; NULL for the first page
-- $3 limit
-- $4 page_bytes: after how many bytes of JSON no further entry is read
-- $5 without_internal: whether to hide internal comments
WITH RECURSIVE page (json, entry, bytes, place) AS (
    SELECT NULL::text, coalesce($2::bigint, -1), 0::bigint, 0
    UNION ALL
    SELECT next.json, next.entry, previous.bytes + octet_length(next.json), previous.place + 1
    FROM page AS previous
    CROSS JOIN LATERAL (
        SELECT history_json(visible_entry(h, $5::boolean)) AS json, h.entry
        FROM (
            SELECT created.*
            FROM tickets AS t
            CROSS JOIN LATERAL ticket_created(t) AS created
            WHERE t.id = $1::uuid AND previous.entry = -1
            UNION ALL
            (
                SELECT later.*
                FROM ticket_history AS later
                WHERE later.ticket_id = $1::uuid AND later.entry > previous.entry
                ORDER BY later.entry
                LIMIT 1
            )
        ) AS h
        ORDER BY h.entry
        LIMIT 1
    ) AS next
    WHERE previous.place < $3::integer AND previous.bytes <= $4::bigint
)
SELECT page.json, page.entry
FROM page
WHERE page.place > 0
ORDER BY page.place
