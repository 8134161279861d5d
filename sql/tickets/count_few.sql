-- Returns the number of matches of a search among all tickets with the allowed facets; no row if there are too many to read.
-- The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee. A ticket can have
-- several attributes.
-- Retry: safe
-- Cost: high
-- $1 facet_scan_limit: how many tickets are too many
WITH facet_rows AS MATERIALIZED (
    SELECT head.id
    FROM /* include: facet_combinations */ tickets AS facets
    CROSS JOIN LATERAL (
        SELECT t.id
        FROM /* attributes: ticket_attributes */ tickets AS t
        WHERE /* include: combination */ true
            AND /* include: created */ true
        LIMIT $1::integer
    ) AS head
    LIMIT $1::integer
)
SELECT count(*)
FROM (
    SELECT DISTINCT id
    FROM facet_rows
    WHERE (SELECT count(*) FROM facet_rows) < $1::integer
) AS facet_rows
CROSS JOIN LATERAL (SELECT x.id, x.text FROM ticket_texts AS x WHERE x.id = facet_rows.id OFFSET 0) AS x
CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = facet_rows.id OFFSET 0) AS t
WHERE /* include: text */ true
    AND /* include: rest */ true
HAVING (SELECT count(*) FROM facet_rows) < $1::integer
