-- The tickets created and those first resolved on each calendar day of a time zone, in one snapshot, from the counters,
-- as a JSON array, oldest day first. The first column is the number of days; outside 1 to 366 there is no array.
-- What the days are is asked of each quarter of an hour, so a day has as many hours as it has there.
-- $1 tz: a time zone's name, known to Postgres
-- $2 since: the first day; NULL: 30 days before the end
-- $3 before: the day after the last; NULL: tomorrow there
WITH span AS (
    SELECT coalesce($2::date, ending.before - 30) AS since, ending.before
    FROM (SELECT coalesce($3::date, (now() AT TIME ZONE $1::text)::date + 1) AS before) AS ending
),
counted AS (
    SELECT
        (quarter AT TIME ZONE $1::text)::date AS day,
        sum(created_low) AS created_low, sum(created_medium) AS created_medium,
        sum(created_high) AS created_high, sum(created_critical) AS created_critical,
        sum(created_billing) AS created_billing, sum(created_technical) AS created_technical,
        sum(created_account) AS created_account, sum(created_general) AS created_general,
        sum(resolved_low) AS resolved_low, sum(resolved_medium) AS resolved_medium,
        sum(resolved_high) AS resolved_high, sum(resolved_critical) AS resolved_critical,
        sum(resolved_billing) AS resolved_billing, sum(resolved_technical) AS resolved_technical,
        sum(resolved_account) AS resolved_account, sum(resolved_general) AS resolved_general
    FROM (
        SELECT * FROM ticket_quarters
        UNION ALL
        SELECT event.*
        FROM ticket_changes AS c
        CROSS JOIN LATERAL quarters_of(c.created, c.resolved, c.category, c.priority, c.tickets) AS event
    ) AS q
    -- A day more at either end than any zone is away from UTC; days that nobody asked for are dropped below.
    WHERE quarter >= (SELECT since - 1 FROM span)::timestamp AT TIME ZONE 'UTC'
        AND quarter < (SELECT before + 1 FROM span)::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1
)
SELECT
    span.before - span.since,
    CASE WHEN span.before - span.since BETWEEN 1 AND 366 THEN (
        SELECT '[' || string_agg(
            '{"date":"' || to_char(day, 'YYYY-MM-DD') || '","created":' || day_json(
                created_low, created_medium, created_high, created_critical,
                created_billing, created_technical, created_account, created_general
            ) || ',"resolved":' || day_json(
                resolved_low, resolved_medium, resolved_high, resolved_critical,
                resolved_billing, resolved_technical, resolved_account, resolved_general
            ) || '}',
            ',' ORDER BY day
        ) || ']'
        FROM (SELECT span.since + n AS day FROM generate_series(0, span.before - span.since - 1) AS n) AS calendar
        LEFT JOIN counted USING (day)
    ) END
FROM span
