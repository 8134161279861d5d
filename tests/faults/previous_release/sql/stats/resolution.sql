-- How long it took from creation to the first resolution, in seconds, in one snapshot: count, median and 90th percentile
-- of all tickets that were ever resolved, and by priority and category. The percentiles are times that a ticket took
-- (percentile_disc). Read from an index alone where only facets and times of creation are asked for.
-- $1 categories: the values allowed
-- $2 priorities: the values allowed
-- $3 statuses: the values allowed
-- $4 created_since: inclusive; NULL: any
-- $5 created_before: exclusive; NULL: any
-- $6 updated_since: inclusive; NULL: any
-- $7 updated_before: exclusive; NULL: any
-- $8 search_patterns: for LIKE, in any letter case; all must match
-- $9 excluded_patterns: none may match
-- $10 index_patterns: those of search_patterns to look up in the index, at most four
-- $11 index_regex: another condition for the index, true of every text that matches search_patterns; '': none
WITH resolved AS (
    SELECT t.category, t.priority, date_part('epoch', t.resolved_at - t.created_at) AS seconds
    FROM tickets AS t
    WHERE $6::timestamptz IS NULL AND $7::timestamptz IS NULL AND $8::text[] || $9::text[] = '{}'
        AND t.resolved_at IS NOT NULL
        AND t.category = ANY ($1::ticket_category[])
        AND t.priority = ANY ($2::ticket_priority[])
        AND t.status = ANY ($3::ticket_status[])
        AND t.id >= greatest(uuid_v7_floor($4::timestamptz), '00000000-0000-0000-0000-000000000000')
        AND t.id < least(uuid_v7_floor($5::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    UNION ALL
    SELECT t.category, t.priority, date_part('epoch', t.resolved_at - t.created_at)
    FROM tickets AS t
    WHERE NOT ($6::timestamptz IS NULL AND $7::timestamptz IS NULL AND $8::text[] || $9::text[] = '{}')
        AND t.resolved_at IS NOT NULL
        AND t.category = ANY ($1::ticket_category[])
        AND t.priority = ANY ($2::ticket_priority[])
        AND t.status = ANY ($3::ticket_status[])
        AND t.id >= greatest(uuid_v7_floor($4::timestamptz), '00000000-0000-0000-0000-000000000000')
        AND t.id < least(uuid_v7_floor($5::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
        AND t.updated_at >= coalesce($6::timestamptz, '-infinity')
        AND t.updated_at < coalesce($7::timestamptz, 'infinity')
        AND (
            $8::text[] || $9::text[] = '{}'
            OR t.id IN (SELECT tickets_with_text($8::text[], $9::text[], $10::text[], $11::text))
        )
),
measured AS (
    SELECT priority, category, count(*) AS tickets, percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY seconds) AS seconds
    FROM resolved
    GROUP BY GROUPING SETS ((), (priority), (category))
)
SELECT '{' || times_json(total.tickets, total.seconds)
    || ',"priority_breakdown":{' || (
        SELECT string_agg('"' || label || '":{' || times_json(m.tickets, m.seconds) || '}', ',' ORDER BY label)
        FROM unnest(enum_range(NULL::ticket_priority)) AS label
        LEFT JOIN measured AS m ON m.priority = label
    )
    || '},"category_breakdown":{' || (
        SELECT string_agg('"' || label || '":{' || times_json(m.tickets, m.seconds) || '}', ',' ORDER BY label)
        FROM unnest(enum_range(NULL::ticket_category)) AS label
        LEFT JOIN measured AS m ON m.category = label
    )
    || '}}'
FROM measured AS total
WHERE total.priority IS NULL AND total.category IS NULL
