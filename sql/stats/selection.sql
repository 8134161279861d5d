-- Returns the statistics of the tickets that match the filters, read from the tickets, in one snapshot.
-- Retry: safe
-- Cost: high
SELECT headline_json(
    count(*),
    count(*) FILTER (WHERE t.status = 'open'),
    min(t.created_at),
    max(t.created_at),
    count(*) FILTER (WHERE t.priority = 'low'),
    count(*) FILTER (WHERE t.priority = 'medium'),
    count(*) FILTER (WHERE t.priority = 'high'),
    count(*) FILTER (WHERE t.priority = 'critical'),
    count(*) FILTER (WHERE t.category = 'billing'),
    count(*) FILTER (WHERE t.category = 'technical'),
    count(*) FILTER (WHERE t.category = 'account'),
    count(*) FILTER (WHERE t.category = 'general')
)
FROM tickets AS t
WHERE /* include: filters */ true
    AND /* include: updated */ true
    AND /* include: text_if_any */ true
