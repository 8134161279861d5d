-- Returns those of the next tickets with an attribute of the rarest group that match all filters, newest first, at most a
-- page. If the page is not full and more tickets follow, a last row without JSON has the id of the last one looked at.
-- Filters by several frequent attributes fill a page in this way; filter_by_id.sql looks at a page for each combination of
-- facets.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 scan_limit: how many tickets to look at
WITH heads AS MATERIALIZED (
    SELECT id FROM /* include: heads_by_id */ tickets AS heads
),
matches AS MATERIALIZED (
    SELECT head.id
    FROM (SELECT id FROM heads ORDER BY id /* oldest: ASC */ DESC OFFSET 0) AS head
    CROSS JOIN LATERAL (
        SELECT
        FROM tickets AS t
        WHERE t.id = head.id
            AND /* include: updated */ true
            AND /* include: people */ true
        OFFSET 0
    ) AS matching
    ORDER BY head.id /* oldest: ASC */ DESC
    LIMIT $1::integer
),
scan_end AS (
    SELECT id
    FROM heads
    WHERE (SELECT count(*) FROM heads) = $2::integer
        AND (SELECT count(*) FROM matches) < $1::integer
    ORDER BY id /* oldest: DESC */ ASC
    LIMIT 1
)
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = page.id AND NOT page.is_end), page.id, NULL
FROM (
    SELECT id, false AS is_end FROM matches
    UNION ALL
    SELECT id, true FROM scan_end
) AS page
ORDER BY page.id /* oldest: ASC */ DESC, page.is_end
