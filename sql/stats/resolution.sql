-- Returns the time from creation to the first resolution or, as `response`, to the first response, in seconds, in one
-- snapshot: count, median and 90th percentile of all tickets that have such a time, and by priority and category. A
-- percentile is the time of a ticket (percentile_disc). It reads all tickets that have one; stats.durations does not. Filters by
-- facets and time of creation alone are served by an index-only scan.
-- Retry: safe
-- Cost: high
-- $1 is_index_only: whether nothing but facets and creation times is filtered
-- $2 created_since: inclusive; NULL means any
-- $3 created_before: exclusive; NULL means any
WITH resolved AS (
    SELECT t.category, t.priority, date_part('epoch', /* response: t.first_response_at */ t.resolved_at - t.created_at) AS seconds
    FROM tickets AS t
    WHERE $1::boolean
        AND /* response: t.first_response_at */ t.resolved_at IS NOT NULL
        AND /* include: facets */ true
        AND floor_week(t.created_at) >= floor_week(coalesce($2::timestamptz, '-infinity'))
        AND t.created_at >= coalesce($2::timestamptz, '-infinity')
        AND floor_week(t.created_at) <= floor_week(coalesce($3::timestamptz, 'infinity'))
        AND t.created_at < coalesce($3::timestamptz, 'infinity')
    UNION ALL
    SELECT t.category, t.priority, date_part('epoch', /* response: t.first_response_at */ t.resolved_at - t.created_at)
    FROM tickets AS t
    WHERE NOT $1::boolean
        AND /* response: t.first_response_at */ t.resolved_at IS NOT NULL
        AND /* include: filters */ true
        AND /* include: text_if_any */ true
),
measured AS (
    SELECT priority, category, count(*) AS tickets,
        percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY seconds) AS seconds
    FROM resolved
    GROUP BY GROUPING SETS ((), (priority), (category))
)
SELECT /* include: breakdown_of_times */ NULL
