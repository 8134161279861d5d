-- Returns the time from creation to the first resolution or, as `response`, to the first response, in seconds, in one
-- snapshot: what stats.resolution returns, for filters by category, priority and time of creation alone. The counters of
-- durations say in which bucket a percentile is, and how many of its tickets are faster; then only the tickets of that bucket
-- are read, from an index alone.
-- Retry: safe
-- Cost: high
-- $1 categories: the allowed values
-- $2 priorities: the allowed values
-- $3 created_since: inclusive; NULL means any
-- $4 created_before: exclusive; NULL means any
WITH RECURSIVE span AS MATERIALIZED (
    SELECT since, before,
        floor_week(since + interval '7 days' - interval '1 microsecond') AS first_week, floor_week(before) AS end_week
    FROM (
        VALUES (coalesce($3::timestamptz, '-infinity'), coalesce($4::timestamptz, 'infinity'))
    ) AS created (since, before)
),
counted AS (
    SELECT d.category, label.priority, d.bucket, label.tickets
    FROM (
        SELECT category, bucket, sum(low) AS low, sum(medium) AS medium, sum(high) AS high, sum(critical) AS critical
        FROM ticket_durations
        WHERE is_response = /* response: true */ false
            AND week >= (SELECT first_week FROM span)
            AND week < (SELECT end_week FROM span)
        GROUP BY category, bucket
    ) AS d
    CROSS JOIN LATERAL (
        VALUES ('low'::ticket_priority, d.low), ('medium', d.medium), ('high', d.high), ('critical', d.critical)
    ) AS label (priority, tickets)
    UNION ALL
    SELECT c.category, c.priority, /* response: c.response_bucket */ c.resolution_bucket, c.tickets
    FROM ticket_count_deltas AS c
    WHERE /* response: c.response_bucket */ c.resolution_bucket IS NOT NULL
        AND c.created >= (SELECT first_week FROM span)
        AND c.created < (SELECT end_week FROM span)
    UNION ALL
    SELECT t.category, t.priority, t.bucket, 1
    FROM span
    CROSS JOIN LATERAL ( -- what the window has of its first and its last week
        VALUES (span.since, least(span.first_week, span.before)), (greatest(span.first_week, span.end_week), span.before)
    ) AS part (since, before)
    CROSS JOIN LATERAL (
        SELECT t.category, t.priority,
            duration_bucket(t.created_at, /* response: t.first_response_at */ t.resolved_at) AS bucket
        FROM tickets AS t
        WHERE floor_week(t.created_at) = floor_week(part.since)
            AND t.created_at >= part.since
            AND t.created_at < part.before
            AND /* response: t.first_response_at */ t.resolved_at IS NOT NULL
        OFFSET 0
    ) AS t
    WHERE part.since < part.before
),
ranked AS (
    SELECT priority, category, bucket, in_bucket,
        sum(in_bucket) OVER (PARTITION BY priority, category)::bigint AS tickets,
        (sum(in_bucket) OVER (PARTITION BY priority, category ORDER BY bucket) - in_bucket)::bigint AS faster
    FROM (
        SELECT priority, category, bucket, sum(tickets) AS in_bucket
        FROM counted
        WHERE category = ANY ($1::ticket_category[]) AND priority = ANY ($2::ticket_priority[])
        GROUP BY GROUPING SETS ((bucket), (priority, bucket), (category, bucket))
    ) AS by_label
),
weeks AS (
    (
        SELECT floor_week(t.created_at) AS week
        FROM tickets AS t
        WHERE floor_week(t.created_at) >= (SELECT floor_week(since) FROM span)
            AND /* response: t.first_response_at */ t.resolved_at IS NOT NULL
        ORDER BY floor_week(t.created_at)
        LIMIT 1
    )
    UNION ALL
    SELECT next.week
    FROM weeks
    CROSS JOIN LATERAL (
        SELECT floor_week(t.created_at) AS week
        FROM tickets AS t
        WHERE floor_week(t.created_at) > weeks.week
            AND /* response: t.first_response_at */ t.resolved_at IS NOT NULL
        ORDER BY floor_week(t.created_at)
        LIMIT 1
    ) AS next
    WHERE next.week < (SELECT before FROM span)
),
measured AS (
    SELECT ranked.priority, ranked.category, ranked.tickets, array_agg(found.seconds ORDER BY place.share) AS seconds
    FROM ranked
    CROSS JOIN LATERAL (
        SELECT share, ceil(share * ranked.tickets)::bigint - ranked.faster AS rank -- as percentile_disc() rounds
        FROM unnest('{0.5,0.9}'::double precision[]) AS share
    ) AS place
    CROSS JOIN LATERAL (
        SELECT t.seconds
        FROM unnest($1::ticket_category[]) AS any_category
        CROSS JOIN unnest($2::ticket_priority[]) AS any_priority
        CROSS JOIN weeks
        CROSS JOIN LATERAL (
            SELECT date_part('epoch', /* response: t.first_response_at */ t.resolved_at - t.created_at) AS seconds
            FROM tickets AS t
            WHERE floor_week(t.created_at) = weeks.week
                AND t.category = any_category
                AND t.priority = any_priority
                AND duration_bucket(t.created_at, /* response: t.first_response_at */ t.resolved_at) = ranked.bucket
                AND t.created_at >= (SELECT since FROM span)
                AND t.created_at < (SELECT before FROM span)
                AND /* response: t.first_response_at */ t.resolved_at IS NOT NULL
            OFFSET 0
        ) AS t
        WHERE (any_category = ranked.category OR ranked.category IS NULL)
            AND (any_priority = ranked.priority OR ranked.priority IS NULL)
        ORDER BY t.seconds
        OFFSET place.rank - 1
        LIMIT 1
    ) AS found
    WHERE place.rank BETWEEN 1 AND ranked.in_bucket
    GROUP BY ranked.priority, ranked.category, ranked.tickets
)
SELECT /* include: breakdown_of_times */ NULL
