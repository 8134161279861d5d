-- Condition: the ticket `t` of the combination `facets` is behind a position in the order of urgency. An index by id serves it.
-- $1 after_key: the priority of the last ticket of the previous page or step
-- $2 after_id: its id
facets.priority <= $1::ticket_priority
    AND t.id < CASE facets.priority WHEN $1::ticket_priority THEN $2::uuid ELSE 'ffffffff-ffff-ffff-ffff-ffffffffffff' END
