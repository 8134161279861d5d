-- Returns the matches among all tickets with the allowed facets in the order of creation, newest first, at most a page. If there
-- are too many tickets to read, returns a row without JSON.
-- The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee. A ticket can have
-- several attributes.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 facet_scan_limit: how many tickets are too many
WITH facet_rows AS MATERIALIZED (
    SELECT head.id
    FROM /* include: facet_combinations */ tickets AS facets
    CROSS JOIN LATERAL (
        SELECT t.id
        FROM /* attributes: ticket_attributes */ tickets AS t
        WHERE /* include: combination */ true
            AND /* include: behind */ true
            AND /* include: created */ true
        LIMIT $2::integer
    ) AS head
    LIMIT $2::integer
),
matches AS (
    SELECT /* include: ticket_or_size */ t AS json, t.id
    FROM (
        SELECT /* attributes: DISTINCT id */ id
        FROM facet_rows
        WHERE (SELECT count(*) FROM facet_rows) < $2::integer
        ORDER BY /* include: in_order */ id
        OFFSET 0 -- so that the limit ends the search
    ) AS facet_rows
    CROSS JOIN LATERAL (SELECT x.id, x.text FROM ticket_texts AS x WHERE x.id = facet_rows.id OFFSET 0) AS x
    CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = facet_rows.id OFFSET 0) AS t
    WHERE /* include: text */ true
        AND /* include: rest */ true
    ORDER BY facet_rows.id /* oldest: ASC */ DESC
    LIMIT $1::integer
)
SELECT json, id, NULL FROM matches
UNION ALL
SELECT NULL, NULL, NULL FROM facet_rows HAVING count(*) = $2::integer
