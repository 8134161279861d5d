-- Condition: the ticket `t` was created within the window, as its id says. Indexes serve it.
-- $1 created_since: inclusive; NULL means any
-- $2 created_before: exclusive; NULL means any
t.id >= coalesce(uuid_v7_floor($1::timestamptz), '00000000-0000-0000-0000-000000000000')
    AND t.id < coalesce(uuid_v7_floor($2::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
