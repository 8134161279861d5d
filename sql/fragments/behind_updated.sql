-- Condition: the ticket `t` is behind a position in the order of last change. The index by updated_at serves it.
-- $1 after_key: updated_at of the last ticket of the previous page or step
-- $2 after_id: its id
(t.updated_at, t.id) < ($1::timestamptz, $2::uuid)
    AND /* include: updated */ true
