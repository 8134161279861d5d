-- Condition: the ticket `t` is behind the last one of a short head, `facets`, in the order of last change. The index by updated_at
-- serves it.
(t.updated_at, t.id) < (facets.key, facets.id)
    AND /* include: updated */ true
