-- Returns the counters that disagree with the tickets, in one snapshot: the table, the key, and how many tickets are
-- counted too many. For 15 minutes these are two figures, created and resolved; zeros mean that only labels are wrong.
-- No row when all agree.
-- Retry: safe
WITH signed AS MATERIALIZED (
    SELECT 1 AS sign, floor_15min(created_at) AS created, floor_15min(resolved_at) AS resolved,
        category, priority, status, count(*)::integer AS tickets,
        duration_bucket(created_at, resolved_at) AS resolution_bucket,
        duration_bucket(created_at, first_response_at) AS response_bucket
    FROM tickets
    GROUP BY 2, 3, category, priority, status, 8, 9
    UNION ALL
    SELECT -1, created, resolved, category, priority, status, tickets, resolution_bucket, response_bucket
    FROM ticket_count_deltas
)
SELECT 'ticket_totals', concat_ws(' ', category, priority, status), (-sum(sign * tickets))::text
FROM (
    SELECT sign, category, priority, status, tickets FROM signed
    UNION ALL
    SELECT -1, category, priority, status, tickets FROM ticket_totals
) AS total
GROUP BY category, priority, status
HAVING sum(sign * tickets) <> 0
UNION ALL
SELECT 'ticket_days', concat_ws(' ', day, category, priority, status), (-sum(sign * tickets))::text
FROM (
    SELECT sign, (created AT TIME ZONE 'UTC')::date AS day, category, priority, status, tickets FROM signed
    UNION ALL
    SELECT -1, day, category, priority, status, tickets FROM ticket_days
) AS by_day
GROUP BY day, category, priority, status
HAVING sum(sign * tickets) <> 0
UNION ALL
SELECT 'ticket_counts_15min', rfc3339(interval_start), concat_ws(
    ', ',
    -sum(sign * (created_low + created_medium + created_high + created_critical)),
    -sum(sign * (resolved_low + resolved_medium + resolved_high + resolved_critical))
)
FROM (
    SELECT sign, event.*
    FROM signed
    CROSS JOIN LATERAL delta_counts_15min(created, resolved, category, priority, tickets) AS event
    UNION ALL
    SELECT -1, c.* FROM ticket_counts_15min AS c
) AS by_interval
GROUP BY interval_start
HAVING sum(sign * created_low) <> 0 OR sum(sign * resolved_low) <> 0
    OR sum(sign * created_medium) <> 0 OR sum(sign * resolved_medium) <> 0
    OR sum(sign * created_high) <> 0 OR sum(sign * resolved_high) <> 0
    OR sum(sign * created_critical) <> 0 OR sum(sign * resolved_critical) <> 0
    OR sum(sign * created_billing) <> 0 OR sum(sign * resolved_billing) <> 0
    OR sum(sign * created_technical) <> 0 OR sum(sign * resolved_technical) <> 0
    OR sum(sign * created_account) <> 0 OR sum(sign * resolved_account) <> 0
    OR sum(sign * created_general) <> 0 OR sum(sign * resolved_general) <> 0
UNION ALL
SELECT 'ticket_durations', concat_ws(
        ' ', CASE WHEN is_response THEN 'response' ELSE 'resolution' END, rfc3339(week), category, priority, bucket
    ),
    (-sum(sign * tickets))::text
FROM (
    SELECT sign, duration.is_response, floor_week(created) AS week, category, priority, duration.bucket, tickets
    FROM signed
    CROSS JOIN LATERAL (
        VALUES (false, signed.resolution_bucket), (true, signed.response_bucket)
    ) AS duration (is_response, bucket)
    WHERE duration.bucket IS NOT NULL
    UNION ALL
    SELECT -1, d.is_response, d.week, d.category, label.priority, d.bucket, label.tickets
    FROM ticket_durations AS d
    CROSS JOIN LATERAL (
        VALUES ('low'::ticket_priority, d.low), ('medium', d.medium), ('high', d.high), ('critical', d.critical)
    ) AS label (priority, tickets)
) AS by_duration
GROUP BY is_response, week, category, priority, bucket
HAVING sum(sign * tickets) <> 0
ORDER BY 1, 2
