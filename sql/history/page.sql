-- Returns a page of a ticket's history, oldest entry first. No row when the ticket never existed, or past the last
-- entry. An entry that is larger than its share of the page is only its size in bytes.
-- Retry: safe
-- $1 id
-- $2 after_entry: the number of the last entry of the previous page; NULL for the first page
-- $3 limit
-- $4 row_bytes: the share of each entry
SELECT CASE WHEN octet_length(page.json) <= $4::integer THEN page.json ELSE octet_length(page.json)::text END, page.entry
FROM (
    SELECT history_json(h) AS json, h.entry
    FROM (
        SELECT created.*
        FROM tickets AS t
        CROSS JOIN LATERAL ticket_created(t) AS created
        WHERE t.id = $1::uuid AND $2::bigint IS NULL
        UNION ALL
        (
            SELECT later.*
            FROM ticket_history AS later
            WHERE later.ticket_id = $1::uuid AND later.entry > coalesce($2::bigint, -1)
            ORDER BY later.entry
            LIMIT $3::integer
        )
    ) AS h
    ORDER BY h.entry
    LIMIT $3::integer
) AS page
ORDER BY page.entry
