-- Returns the number of tickets with these facets and times of creation, from the counters, as stats.window does.
-- Retry: safe
-- $1 created_since: inclusive; NULL means any
-- $2 created_before: exclusive; NULL means any
SELECT coalesce(sum(tickets), 0)
FROM counted_tickets($1::timestamptz, $2::timestamptz) AS t
WHERE /* include: facets */ true
