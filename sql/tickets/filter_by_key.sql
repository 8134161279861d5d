-- Returns a page of the tickets that match the filters, last changed first or, as `urgent`, most urgent first, then newest
-- first: the heads of all combinations of facets, merged.
-- The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee. A ticket can have
-- several attributes.
-- Retry: safe
-- Cost: high with updated_since updated_before
-- $1 limit
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = page.id), page.id, page.key
FROM (
    SELECT /* attributes: DISTINCT head.id */ head.id, head.key
    FROM /* include: facet_combinations */ tickets AS facets
    CROSS JOIN LATERAL (
        SELECT t.id, /* urgent: t.priority */ t.updated_at AS key
        FROM /* attributes: ticket_attributes */ tickets AS t
        WHERE /* include: combination */ true
            AND /* include: after_key */ true
            AND /* include: created */ true
            AND /* include: rest */ true
        ORDER BY key DESC, t.id DESC
        LIMIT $1::integer
    ) AS head
    ORDER BY head.key DESC, head.id DESC
    LIMIT $1::integer
) AS page
ORDER BY page.key DESC, page.id DESC
