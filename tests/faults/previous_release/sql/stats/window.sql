-- The statistics of the tickets with the given facets and times of creation, in one snapshot: from the counters, but
-- for the parts of a day at the ends of the window.
-- $1 categories: the values allowed
-- $2 priorities: the values allowed
-- $3 statuses: the values allowed
-- $4 created_since: inclusive; NULL: any
-- $5 created_before: exclusive; NULL: any
SELECT headline_json(
    sum(tickets),
    sum(tickets) FILTER (WHERE status = 'open'),
    (
        SELECT created_at FROM tickets WHERE id = (
            SELECT head.id
            FROM unnest($1::ticket_category[]) AS c
            CROSS JOIN unnest($2::ticket_priority[]) AS p
            CROSS JOIN unnest($3::ticket_status[]) AS s
            CROSS JOIN LATERAL (
                SELECT t.id
                FROM tickets AS t
                WHERE t.category = c AND t.priority = p AND t.status = s
                    AND t.id >= greatest(uuid_v7_floor($4::timestamptz), '00000000-0000-0000-0000-000000000000')
                    AND t.id < least(uuid_v7_floor($5::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
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
            FROM unnest($1::ticket_category[]) AS c
            CROSS JOIN unnest($2::ticket_priority[]) AS p
            CROSS JOIN unnest($3::ticket_status[]) AS s
            CROSS JOIN LATERAL (
                SELECT t.id
                FROM tickets AS t
                WHERE t.category = c AND t.priority = p AND t.status = s
                    AND t.id >= greatest(uuid_v7_floor($4::timestamptz), '00000000-0000-0000-0000-000000000000')
                    AND t.id < least(uuid_v7_floor($5::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
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
FROM counted_tickets($4::timestamptz, $5::timestamptz)
WHERE category = ANY ($1::ticket_category[])
    AND priority = ANY ($2::ticket_priority[])
    AND status = ANY ($3::ticket_status[])
