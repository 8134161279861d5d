-- A page of all tickets, newest first, along the primary key.
-- $1 limit
-- $2 after_id: the id of the last ticket of the page before; NULL: the first page
-- $3 created_since: inclusive; NULL: any
-- $4 created_before: exclusive; NULL: any
SELECT ticket_json(t), t.id
FROM tickets AS t
WHERE t.id < least($2::uuid, uuid_v7_floor($4::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    AND t.id >= greatest(uuid_v7_floor($3::timestamptz), '00000000-0000-0000-0000-000000000000')
ORDER BY t.id DESC
LIMIT $1::integer
