-- Condition: the ticket `t` was last changed within the window, for statements that read along the index by updated_at.
-- $1 updated_since: inclusive; NULL means any
-- $2 updated_before: exclusive; NULL means any
t.updated_at >= coalesce($1::timestamptz, '-infinity')
    AND t.updated_at < coalesce($2::timestamptz, 'infinity')
