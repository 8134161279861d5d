-- How many tickets have the given facets and times of creation: from the counters, as stats.window does it.
-- $1 categories: the values allowed
-- $2 priorities: the values allowed
-- $3 statuses: the values allowed
-- $4 created_since: inclusive; NULL: any
-- $5 created_before: exclusive; NULL: any
SELECT coalesce(sum(tickets), 0)
FROM counted_tickets($4::timestamptz, $5::timestamptz)
WHERE category = ANY ($1::ticket_category[])
    AND priority = ANY ($2::ticket_priority[])
    AND status = ANY ($3::ticket_status[])
