-- The statistics of all tickets, in one snapshot: every figure is a sum over the same groups.
-- Tickets a day are the total over the days from the oldest to the newest ticket, with fractions, at least one day.
WITH groups AS MATERIALIZED (
    SELECT category, priority, status, count(*) AS n, min(created_at) AS oldest, max(created_at) AS newest
    FROM tickets
    GROUP BY category, priority, status
),
totals AS (
    SELECT
        coalesce(sum(n), 0) AS total,
        coalesce(sum(n) FILTER (WHERE status = 'open'), 0) AS open,
        greatest(1, coalesce(extract(epoch FROM max(newest) - min(oldest)) / 86400, 1)) AS days
    FROM groups
)
SELECT json_build_object(
    'total_tickets', total,
    'open_tickets', open,
    'avg_tickets_per_day', round(total / days, 1),
    'priority_breakdown', (
        SELECT json_object_agg(priority, n ORDER BY priority)
        FROM (
            SELECT priority, coalesce(sum(groups.n), 0) AS n
            FROM unnest(enum_range(NULL::ticket_priority)) AS priority
            LEFT JOIN groups USING (priority)
            GROUP BY priority
        ) AS counted
    ),
    'category_breakdown', (
        SELECT json_object_agg(category, n ORDER BY category)
        FROM (
            SELECT category, coalesce(sum(groups.n), 0) AS n
            FROM unnest(enum_range(NULL::ticket_category)) AS category
            LEFT JOIN groups USING (category)
            GROUP BY category
        ) AS counted
    )
)::text
FROM totals
