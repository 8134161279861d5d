-- Returns those of the next tickets with an attribute of the rarest group that match all filters, last changed first or, as
-- `urgent`, most urgent first, as filter_scan_by_id.sql does.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 scan_limit: how many tickets to look at
WITH heads AS MATERIALIZED (
    SELECT DISTINCT head.key, head.id
    FROM /* include: facet_combinations */ tickets AS facets
    CROSS JOIN LATERAL (
        SELECT t.id, /* urgent: t.priority */ t.updated_at AS key
        FROM ticket_attributes AS t
        WHERE /* include: combination */ true
            AND /* include: after_key */ true
            AND /* include: created */ true
        ORDER BY key DESC, t.id DESC
        LIMIT $2::integer
    ) AS head
    ORDER BY head.key DESC, head.id DESC
    LIMIT $2::integer
),
matches AS MATERIALIZED (
    SELECT head.key, head.id
    FROM (SELECT key, id FROM heads ORDER BY key DESC, id DESC OFFSET 0) AS head
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
    SELECT key, id
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
