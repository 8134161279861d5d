-- Returns the number of tickets with the given facets and creation times, from the counters and, at the ends of the window,
-- from the tickets.
-- Retry: safe
-- $1 created_since: inclusive; NULL means any
-- $2 created_before: exclusive; NULL means any
SELECT coalesce(sum(tickets), 0)
FROM counted_tickets($1::timestamptz, $2::timestamptz) AS t
WHERE /* include: facets */ true
