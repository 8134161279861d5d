-- Returns those of the next tickets with an attribute of the rarest group that match all filters, last changed first or, as
-- `urgent`, most urgent first, as filter_scan_by_id.sql does.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 scan_limit: how many tickets to look at
WITH heads AS MATERIALIZED (
    SELECT id, key FROM /* include: heads_by_key */ tickets AS heads (id, key)
),
matches AS MATERIALIZED (
    SELECT head.id, head.key
    FROM (SELECT id, key FROM heads ORDER BY key DESC, id DESC OFFSET 0) AS head
    CROSS JOIN LATERAL (
        SELECT
        FROM tickets AS t
        WHERE t.id = head.id
            AND /* include: updated */ true
            AND /* include: people */ true
        OFFSET 0
    ) AS matching
    ORDER BY head.key DESC, head.id DESC
    LIMIT $1::integer
),
scan_end AS (
    SELECT id, key
    FROM heads
    WHERE (SELECT count(*) FROM heads) = $2::integer
        AND (SELECT count(*) FROM matches) < $1::integer
    ORDER BY key, id
    LIMIT 1
)
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = page.id AND NOT page.is_end), page.id, page.key
FROM (
    SELECT id, key, false AS is_end FROM matches
    UNION ALL
    SELECT id, key, true FROM scan_end
) AS page
ORDER BY page.key DESC, page.id DESC, page.is_end
