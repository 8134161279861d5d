-- Returns the number of tickets that match the filters, without a search.
-- Retry: safe
-- Cost: high
SELECT count(*)
FROM tickets AS t
WHERE /* include: filters */ true
    AND /* include: updated */ true
