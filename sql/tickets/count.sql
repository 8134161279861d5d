-- Returns the number of tickets that match the filters, without a search.
-- Retry: safe
SELECT count(*)
FROM tickets AS t
WHERE /* include: filters */ true
    AND /* include: updated */ true
