-- A page of what happened to a ticket, oldest first. No row: there never was such a ticket, or the page is past the end.
-- $1 id
-- $2 after_entry: the number of the last entry of the page before; NULL: the first page
-- $3 limit
SELECT history_json(h), h.entry
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
