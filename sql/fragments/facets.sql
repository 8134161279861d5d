-- Condition: the ticket `t` (or the counter `t`) has allowed facets.
-- $1 categories: the allowed values
-- $2 priorities: the allowed values
-- $3 statuses: the allowed values
t.category = ANY ($1::ticket_category[])
    AND t.priority = ANY ($2::ticket_priority[])
    AND t.status = ANY ($3::ticket_status[])
