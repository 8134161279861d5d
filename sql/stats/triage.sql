-- Compares suggested labels with the final ones, for the tickets created in a window, in one snapshot, as JSON.
-- suggested = judged + not_judged and judged = kept + corrected, for each field, source and day. The confusion matrix
-- counts the judged, by suggested and then by final label; category_label() and priority_label() define which are
-- judged. Accuracy is kept / judged, null if none is judged. `critical` counts the judged tickets whose final priority is
-- critical, and those of them for which it was suggested. Days are in UTC and include those without tickets.
-- Retry: safe
-- Cost: high
-- $1 created_since: inclusive
-- $2 created_before: exclusive
WITH groups AS MATERIALIZED (
    SELECT
        (t.created_at AT TIME ZONE 'UTC')::date AS day,
        t.suggested_by AS source,
        t.suggested_category, category_label(t) AS category, t.suggested_priority, priority_label(t) AS priority,
        count(*) AS n
    FROM tickets AS t
    WHERE t.id >= uuid_v7_floor($1::timestamptz)
        AND t.id < uuid_v7_floor($2::timestamptz)
        AND t.suggested_by IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6
),
counted AS MATERIALIZED (
    SELECT 'category' AS field, day, source, suggested_category::text AS suggested, category::text AS final, n
    FROM groups
    WHERE suggested_category IS NOT NULL
    UNION ALL
    SELECT 'priority', day, source, suggested_priority::text, priority::text, n
    FROM groups
    WHERE suggested_priority IS NOT NULL
    UNION ALL
    SELECT field, day::date, source, NULL, NULL, 0 -- so that every field, day and usual source has a row
    FROM unnest(ARRAY['category', 'priority']) AS field
    CROSS JOIN generate_series(
        ($1::timestamptz AT TIME ZONE 'UTC')::date,
        (($2::timestamptz - interval '1 microsecond') AT TIME ZONE 'UTC')::date,
        interval '1 day'
    ) AS day
    CROSS JOIN unnest(ARRAY['offline', 'learned', 'default', 'reclassify']) AS source
),
tallies AS MATERIALIZED (
    SELECT field, day, source, '{"suggested":' || suggested
        || ',"not_judged":' || suggested - judged
        || ',"judged":' || judged
        || ',"kept":' || kept
        || ',"corrected":' || judged - kept
        || ',"accuracy":' || coalesce(round(kept / nullif(judged, 0), 3)::text, 'null')
        || '}' AS tally
    FROM (
        SELECT
            field, day, source, sum(n) AS suggested,
            coalesce(sum(n) FILTER (WHERE final IS NOT NULL), 0) AS judged,
            coalesce(sum(n) FILTER (WHERE final = suggested), 0) AS kept
        FROM counted
        GROUP BY GROUPING SETS ((field), (field, day), (field, source))
    ) AS sums
),
confusion AS (
    SELECT field, suggested, '{' || string_agg('"' || final || '":' || n, ',' ORDER BY final) || '}' AS finals
    FROM (
        SELECT
            CASE WHEN l.suggested < 'low' THEN 'category' ELSE 'priority' END AS field, l.suggested, r.final,
            coalesce(sum(counted.n), 0) AS n
        FROM unnest(enum_range(NULL::triage_label)) AS l (suggested)
        JOIN unnest(enum_range(NULL::triage_label)) AS r (final) ON (l.suggested < 'low') = (r.final < 'low')
        LEFT JOIN counted ON counted.suggested = l.suggested::text AND counted.final = r.final::text
        GROUP BY l.suggested, r.final
    ) AS cell
    GROUP BY field, suggested
)
SELECT '{"created_since":"' || rfc3339($1::timestamptz)
    || '","created_before":"' || rfc3339($2::timestamptz)
    || '","category":' || (SELECT tally FROM tallies WHERE field = 'category' AND day IS NULL AND source IS NULL)
    || ',"priority":' || (SELECT tally FROM tallies WHERE field = 'priority' AND day IS NULL AND source IS NULL)
    || ',"critical":' || (
        SELECT '{"judged":' || judged
            || ',"found":' || found
            || ',"recall":' || coalesce(round(found / nullif(judged, 0), 3)::text, 'null')
            || '}'
        FROM (
            SELECT coalesce(sum(n), 0) AS judged, coalesce(sum(n) FILTER (WHERE suggested = 'critical'), 0) AS found
            FROM counted
            WHERE final = 'critical'
        ) AS sums
    )
    || ',"confusion":{' || (
        SELECT string_agg('"' || field || '":{' || suggested || '}', ',' ORDER BY field)
        FROM (
            SELECT field, string_agg('"' || suggested || '":' || finals, ',' ORDER BY suggested) AS suggested
            FROM confusion
            GROUP BY field
        ) AS matrix
    )
    || '},"by_source":{' || (
        SELECT string_agg(to_json(source) || ':{' || fields || '}', ',' ORDER BY source)
        FROM (
            SELECT source, string_agg('"' || field || '":' || tally, ',' ORDER BY field) AS fields
            FROM tallies
            WHERE source IS NOT NULL
            GROUP BY source
        ) AS each
    )
    || '},"daily":[' || (
        SELECT string_agg(
            '{"date":"' || to_char(c.day, 'YYYY-MM-DD') || '","category":' || c.tally || ',"priority":' || p.tally || '}',
            ',' ORDER BY c.day
        )
        FROM tallies AS c
        JOIN tallies AS p ON p.day = c.day
        WHERE c.field = 'category' AND p.field = 'priority'
    )
    || ']}'
