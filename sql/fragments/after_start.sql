-- Condition: the ticket `t`, of the same priority, is behind the last one of a short head, `facets`.
t.id /* oldest: > */ < facets.id
