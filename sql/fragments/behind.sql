-- Condition: the ticket `t` is behind a position in the order of creation.
-- $1 after_id: the id of the last ticket of the previous page or step
t.id /* oldest: > */ < $1::uuid
