-- Condition: the ticket `t` is behind a position in the order of urgency.
-- $1 after_key: the priority of the last ticket of the previous page or step
-- $2 after_id: its id
(t.priority, t.id) < ($1::ticket_priority, $2::uuid)
