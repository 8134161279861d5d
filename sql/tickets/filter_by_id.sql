-- Returns a page of the tickets that match the filters, newest first: the heads of all combinations of facets, merged.
-- The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee.
-- Retry: safe
-- Cost: high with updated_since updated_before
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = page.id), page.id, NULL
FROM /* include: heads_by_id */ tickets AS page
ORDER BY page.id /* oldest: ASC */ DESC
