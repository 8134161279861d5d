-- Returns the number of tickets that match a search, without other filters: it reads every text that the index finds.
-- Retry: safe
-- Cost: high
SELECT count(*) FROM /* include: text_matches */ tickets AS x (id)
