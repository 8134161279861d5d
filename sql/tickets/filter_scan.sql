-- Returns those of the next tickets with an attribute of the rarest group that match all filters, in the order of the list, at
-- most a page. If the page is not full and more tickets follow, a last row without JSON has the position of the last one looked
-- at. Filters by several frequent attributes fill a page in this way; filter.sql looks at a page for each combination of facets.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 scan_limit: how many tickets to look at
WITH heads AS MATERIALIZED (
    SELECT id, key, row_number() OVER (ORDER BY /* include: in_order */ id) AS place
    FROM /* include: heads */ tickets AS heads (id, key)
),
matches AS MATERIALIZED (
    SELECT head.id, head.key
    FROM (SELECT id, key FROM heads ORDER BY /* include: in_order */ id OFFSET 0) AS head
    CROSS JOIN LATERAL (
        SELECT
        FROM tickets AS t
        WHERE t.id = head.id
            AND /* include: updated */ true
            AND /* include: people */ true
        OFFSET 0
    ) AS matching
    ORDER BY /* include: in_order */ id
    LIMIT $1::integer
)
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = matches.id), id, key FROM matches
UNION ALL
SELECT NULL, id, key FROM heads WHERE place = $2::integer AND (SELECT count(*) FROM matches) < $1::integer
