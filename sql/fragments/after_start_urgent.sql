-- Condition: the ticket `t`, of the same priority, is behind the last one of a short head, `facets`, in the order of urgency.
t.id < facets.id
