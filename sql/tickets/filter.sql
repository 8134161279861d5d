-- Returns a page of the tickets that match the filters, in the order of the list: the heads of all combinations of facets,
-- merged. The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee.
-- Retry: safe
-- Cost: high with updated_since updated_before
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = page.id), page.id, page.key
FROM /* include: heads */ tickets AS page (id, key)
ORDER BY /* include: in_order */ id
