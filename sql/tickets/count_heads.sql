-- Returns the number of tickets that match filters by attributes, or those without an assignee, without a search: read from
-- ticket_attributes and the indexes of unassigned tickets alone, if there is no other filter.
-- Retry: safe
-- Cost: high
SELECT count(/* attributes: DISTINCT head.id */ *)
FROM /* include: facet_combinations */ tickets AS facets
CROSS JOIN LATERAL (
    SELECT t.id
    FROM /* attributes: ticket_attributes */ tickets AS t
    WHERE /* include: combination */ true
        AND /* include: created */ true
        AND /* include: rest */ true
    OFFSET 0
) AS head
