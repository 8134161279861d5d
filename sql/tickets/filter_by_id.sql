-- Returns a page of the tickets that match the filters, newest first: the heads of all combinations of facets, merged.
-- The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee. A ticket can have
-- several attributes.
-- Retry: safe
-- Cost: high with updated_since updated_before
-- $1 limit
-- $2 after_id: the id of the last ticket of the previous page
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = page.id), page.id, NULL
FROM (
    SELECT /* attributes: DISTINCT head.id */ head.id
    FROM /* include: facet_combinations */ tickets AS facets
    CROSS JOIN LATERAL (
        SELECT t.id
        FROM /* attributes: ticket_attributes */ tickets AS t
        WHERE /* include: combination */ true
            AND t.id /* oldest: > */ < $2::uuid
            AND /* include: created */ true
            AND /* include: rest */ true
        ORDER BY t.id /* oldest: ASC */ DESC
        LIMIT $1::integer
    ) AS head
    ORDER BY head.id /* oldest: ASC */ DESC
    LIMIT $1::integer
) AS page
ORDER BY page.id /* oldest: ASC */ DESC
