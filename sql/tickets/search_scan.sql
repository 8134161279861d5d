-- Returns the matches among the next tickets in order of creation, newest first, at most a page. If the page is not full
-- and more tickets follow, a last row without JSON has the id of the last ticket scanned.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 after_id: the id of the last ticket of the previous page
-- $3 scan_limit: how many tickets to scan; NULL means all
WITH head_matches AS MATERIALIZED (
    SELECT t.id
    FROM (
        SELECT t.id, t.text
        FROM ticket_texts AS t
        WHERE t.id /* oldest: > */ < $2::uuid
            AND /* include: created */ true
        ORDER BY t.id /* oldest: ASC */ DESC
        LIMIT $3::integer
    ) AS x
    JOIN tickets AS t ON t.id = x.id
    WHERE /* include: text */ true
        AND /* include: facets */ true
        AND /* include: others */ true
    ORDER BY x.id /* oldest: ASC */ DESC
    LIMIT $1::integer
),
head_end AS (
    SELECT t.id
    FROM ticket_texts AS t
    WHERE t.id /* oldest: > */ < $2::uuid
        AND /* include: created */ true
        AND (SELECT count(*) FROM head_matches) < $1::integer
        AND $3::integer IS NOT NULL
    ORDER BY t.id /* oldest: ASC */ DESC
    OFFSET $3::integer - 1
    LIMIT 1
)
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = page.id AND NOT page.is_end), page.id, NULL
FROM (
    SELECT id, false AS is_end FROM head_matches
    UNION ALL
    SELECT id, true FROM head_end
) AS page
ORDER BY page.id /* oldest: ASC */ DESC, page.is_end
