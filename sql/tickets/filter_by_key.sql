-- Returns a page of the tickets that match the filters, last changed first or, as `urgent`, most urgent first, then newest
-- first: the heads of all combinations of facets, merged.
-- The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee.
-- Retry: safe
-- Cost: high with updated_since updated_before
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = page.id), page.id, page.key
FROM /* include: heads_by_key */ tickets AS page (id, key)
ORDER BY page.key DESC, page.id DESC
