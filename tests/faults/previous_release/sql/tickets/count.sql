-- How many tickets a list with these filters has, over all its pages.
-- $1 categories: the values allowed
-- $2 priorities: the values allowed
-- $3 statuses: the values allowed
-- $4 created_since: inclusive; NULL: any
-- $5 created_before: exclusive; NULL: any
-- $6 updated_since: inclusive; NULL: any
-- $7 updated_before: exclusive; NULL: any
SELECT count(*)
FROM tickets AS t
WHERE t.category = ANY ($1::ticket_category[])
    AND t.priority = ANY ($2::ticket_priority[])
    AND t.status = ANY ($3::ticket_status[])
    AND t.id >= greatest(uuid_v7_floor($4::timestamptz), '00000000-0000-0000-0000-000000000000')
    AND t.id < least(uuid_v7_floor($5::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    AND t.updated_at >= coalesce($6::timestamptz, '-infinity')
    AND t.updated_at < coalesce($7::timestamptz, 'infinity')
