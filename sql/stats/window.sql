-- Returns the statistics of the tickets with these facets and times of creation, in one snapshot: from the counters,
-- and from the tickets for the partial days at the ends of the window.
-- Retry: safe
-- $1 created_since: inclusive; NULL means any
-- $2 created_before: exclusive; NULL means any
SELECT headline_json(
    sum(tickets),
    sum(tickets) FILTER (WHERE status = 'open'),
    (
        SELECT created_at FROM tickets WHERE id = (
            SELECT head.id
            FROM /* include: facet_combinations */ tickets AS facets
            CROSS JOIN LATERAL (
                SELECT t.id
                FROM tickets AS t
                WHERE t.category = facets.category AND t.priority = facets.priority AND t.status = facets.status
                    AND /* include: created */ true
                ORDER BY t.id
                LIMIT 1
            ) AS head
            ORDER BY head.id
            LIMIT 1
        )
    ),
    (
        SELECT created_at FROM tickets WHERE id = (
            SELECT head.id
            FROM /* include: facet_combinations */ tickets AS facets
            CROSS JOIN LATERAL (
                SELECT t.id
                FROM tickets AS t
                WHERE t.category = facets.category AND t.priority = facets.priority AND t.status = facets.status
                    AND /* include: created */ true
                ORDER BY t.id DESC
                LIMIT 1
            ) AS head
            ORDER BY head.id DESC
            LIMIT 1
        )
    ),
    sum(tickets) FILTER (WHERE priority = 'low'),
    sum(tickets) FILTER (WHERE priority = 'medium'),
    sum(tickets) FILTER (WHERE priority = 'high'),
    sum(tickets) FILTER (WHERE priority = 'critical'),
    sum(tickets) FILTER (WHERE category = 'billing'),
    sum(tickets) FILTER (WHERE category = 'technical'),
    sum(tickets) FILTER (WHERE category = 'account'),
    sum(tickets) FILTER (WHERE category = 'general')
)
FROM counted_tickets($1::timestamptz, $2::timestamptz) AS t
WHERE /* include: facets */ true
