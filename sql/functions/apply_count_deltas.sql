-- Applies at most max_deltas deltas (NULL means all) to the counters. One session at a time: another that finds the
-- lock taken returns at once, so nobody waits, and no other session locks rows of the counters. Under repeatable
-- read, deltas that another session has applied since the snapshot would be an error, so nothing is applied there.
-- The lock has the number of a table, as all advisory locks have: services in other schemas of the database have other ones.
CREATE OR REPLACE FUNCTION apply_count_deltas(max_deltas integer) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO off -- what was selected is deleted by its place, however small the table seems
    AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' OR NOT pg_try_advisory_xact_lock(
        7598253, 'ticket_count_deltas'::regclass::oid::integer
    ) THEN
        RETURN;
    END IF;
    WITH taken AS (
        DELETE FROM ticket_count_deltas
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM ticket_count_deltas LIMIT max_deltas))
        RETURNING *
    ),
    totals AS (
        INSERT INTO ticket_totals AS t
        SELECT category, priority, status, sum(tickets)
        FROM taken
        GROUP BY category, priority, status
        HAVING sum(tickets) <> 0
        ON CONFLICT (category, priority, status) DO UPDATE SET tickets = t.tickets + excluded.tickets
    ),
    days AS (
        INSERT INTO ticket_days AS d
        SELECT (created AT TIME ZONE 'UTC')::date, category, priority, status, sum(tickets)
        FROM taken
        GROUP BY 1, category, priority, status
        HAVING sum(tickets) <> 0
        ON CONFLICT (day, category, priority, status) DO UPDATE SET tickets = d.tickets + excluded.tickets
    ),
    durations AS (
        INSERT INTO ticket_durations AS d
        SELECT duration.is_response, floor_week(taken.created), taken.category, duration.bucket,
            coalesce(sum(tickets) FILTER (WHERE priority = 'low'), 0),
            coalesce(sum(tickets) FILTER (WHERE priority = 'medium'), 0),
            coalesce(sum(tickets) FILTER (WHERE priority = 'high'), 0),
            coalesce(sum(tickets) FILTER (WHERE priority = 'critical'), 0)
        FROM taken
        CROSS JOIN LATERAL (
            VALUES (false, taken.resolution_bucket), (true, taken.response_bucket)
        ) AS duration (is_response, bucket)
        WHERE duration.bucket IS NOT NULL
        GROUP BY 1, 2, 3, 4
        ON CONFLICT (is_response, week, category, bucket) DO UPDATE SET
            low = d.low + excluded.low,
            medium = d.medium + excluded.medium,
            high = d.high + excluded.high,
            critical = d.critical + excluded.critical
    )
    INSERT INTO ticket_counts_15min AS c
    SELECT
        event.interval_start,
        sum(event.created_low), sum(event.created_medium),
        sum(event.created_high), sum(event.created_critical),
        sum(event.created_billing), sum(event.created_technical),
        sum(event.created_account), sum(event.created_general),
        sum(event.resolved_low), sum(event.resolved_medium),
        sum(event.resolved_high), sum(event.resolved_critical),
        sum(event.resolved_billing), sum(event.resolved_technical),
        sum(event.resolved_account), sum(event.resolved_general)
    FROM (
        SELECT happened.created, happened.resolved, category, priority, sum(tickets)::integer AS tickets
        FROM taken
        CROSS JOIN LATERAL (
            VALUES (taken.created, NULL), (NULL, taken.resolved)
        ) AS happened (created, resolved)
        GROUP BY happened.created, happened.resolved, category, priority
        HAVING sum(tickets) <> 0
    ) AS sums
    CROSS JOIN LATERAL delta_counts_15min(
        sums.created, sums.resolved, sums.category, sums.priority, sums.tickets
    ) AS event
    GROUP BY event.interval_start
    ON CONFLICT (interval_start) DO UPDATE SET
        created_low = c.created_low + excluded.created_low,
        created_medium = c.created_medium + excluded.created_medium,
        created_high = c.created_high + excluded.created_high,
        created_critical = c.created_critical + excluded.created_critical,
        created_billing = c.created_billing + excluded.created_billing,
        created_technical = c.created_technical + excluded.created_technical,
        created_account = c.created_account + excluded.created_account,
        created_general = c.created_general + excluded.created_general,
        resolved_low = c.resolved_low + excluded.resolved_low,
        resolved_medium = c.resolved_medium + excluded.resolved_medium,
        resolved_high = c.resolved_high + excluded.resolved_high,
        resolved_critical = c.resolved_critical + excluded.resolved_critical,
        resolved_billing = c.resolved_billing + excluded.resolved_billing,
        resolved_technical = c.resolved_technical + excluded.resolved_technical,
        resolved_account = c.resolved_account + excluded.resolved_account,
        resolved_general = c.resolved_general + excluded.resolved_general;
END $$;
