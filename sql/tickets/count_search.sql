-- Returns the number of tickets that match the filters and a search.
-- It reads every ticket that the index by text finds, or every ticket if the index serves no word of the search.
-- Retry: safe
-- Cost: high
SELECT count(*)
FROM /* include: text_matches */ tickets AS x (id)
JOIN tickets AS t ON t.id = x.id
WHERE /* include: filters */ true
