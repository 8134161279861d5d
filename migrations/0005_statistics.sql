-- Statistics: counters that triggers keep, so that no answer reads all tickets. Every change of a ticket is written
-- down as a row of ticket_changes, which waits for nobody; now and then somebody folds these rows into the counters.
-- At any moment, in any snapshot, the truth is the counters and the changes that are not folded yet, together.
-- Everything here follows from the tickets: recount_tickets() makes the same counts again.
-- depends: 0004_search

-- When a ticket was first resolved or closed. It stays when the ticket is opened again.
ALTER TABLE tickets
    ADD COLUMN resolved_at timestamptz,
    ADD CONSTRAINT tickets_resolved_after_created CHECK (
        resolved_at >= created_at AND resolved_at < '10000-01-01T00:00:00Z'
    ) NOT VALID;

-- A ticket that comes in resolved was so since its last change; so was one from before this column.
CREATE FUNCTION tickets_resolve() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.resolved_at := NEW.updated_at;
    ELSIF OLD.status IN ('resolved', 'closed') THEN
        NEW.resolved_at := coalesce(OLD.resolved_at, OLD.updated_at);
    ELSE
        NEW.resolved_at := greatest(now(), NEW.updated_at);
    END IF;
    RETURN NEW;
END $$;

-- Its name comes after tickets_complete, which sets updated_at: triggers fire by name.
CREATE TRIGGER tickets_resolve BEFORE INSERT OR UPDATE ON tickets
    FOR EACH ROW WHEN (NEW.resolved_at IS NULL AND NEW.status IN ('resolved', 'closed'))
    EXECUTE FUNCTION tickets_resolve();

-- The quarter of an hour. Every time zone is a whole number of them away from UTC, in all years since 1972.
CREATE FUNCTION quarter_hour(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_bin('15 minutes', at, '1970-01-01T00:00:00Z');

-- So many tickets more, or less, that have these facets and were created and first resolved in these quarters.
CREATE TABLE ticket_changes (
    created timestamptz NOT NULL,
    resolved timestamptz,
    category ticket_category NOT NULL,
    priority ticket_priority NOT NULL,
    status ticket_status NOT NULL,
    tickets integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- All tickets.
CREATE TABLE ticket_totals (
    category ticket_category,
    priority ticket_priority,
    status ticket_status,
    tickets integer NOT NULL,
    CONSTRAINT ticket_totals_pkey PRIMARY KEY (category, priority, status)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- The tickets by the day, in UTC, of their creation.
CREATE TABLE ticket_days (
    day date,
    category ticket_category,
    priority ticket_priority,
    status ticket_status,
    tickets integer NOT NULL,
    CONSTRAINT ticket_days_pkey PRIMARY KEY (day, category, priority, status)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- The tickets that were created in a quarter of an hour, and those that were first resolved in it. A column for each
-- label, not a row: a year in any time zone is 35,000 rows.
CREATE TABLE ticket_quarters (
    quarter timestamptz CONSTRAINT ticket_quarters_pkey PRIMARY KEY,
    created_low integer NOT NULL,
    created_medium integer NOT NULL,
    created_high integer NOT NULL,
    created_critical integer NOT NULL,
    created_billing integer NOT NULL,
    created_technical integer NOT NULL,
    created_account integer NOT NULL,
    created_general integer NOT NULL,
    resolved_low integer NOT NULL,
    resolved_medium integer NOT NULL,
    resolved_high integer NOT NULL,
    resolved_critical integer NOT NULL,
    resolved_billing integer NOT NULL,
    resolved_technical integer NOT NULL,
    resolved_account integer NOT NULL,
    resolved_general integer NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- What a change of that many tickets is in their quarters: one row for the creation, one for the resolution if any.
CREATE FUNCTION quarters_of(
    created timestamptz, resolved timestamptz, category ticket_category, priority ticket_priority, tickets integer
) RETURNS SETOF ticket_quarters
    LANGUAGE sql IMMUTABLE ROWS 2
BEGIN ATOMIC
    SELECT
        event.quarter,
        CASE WHEN event.creation AND priority = 'low' THEN tickets ELSE 0 END,
        CASE WHEN event.creation AND priority = 'medium' THEN tickets ELSE 0 END,
        CASE WHEN event.creation AND priority = 'high' THEN tickets ELSE 0 END,
        CASE WHEN event.creation AND priority = 'critical' THEN tickets ELSE 0 END,
        CASE WHEN event.creation AND category = 'billing' THEN tickets ELSE 0 END,
        CASE WHEN event.creation AND category = 'technical' THEN tickets ELSE 0 END,
        CASE WHEN event.creation AND category = 'account' THEN tickets ELSE 0 END,
        CASE WHEN event.creation AND category = 'general' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.creation AND priority = 'low' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.creation AND priority = 'medium' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.creation AND priority = 'high' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.creation AND priority = 'critical' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.creation AND category = 'billing' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.creation AND category = 'technical' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.creation AND category = 'account' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.creation AND category = 'general' THEN tickets ELSE 0 END
    FROM (VALUES (created, true), (resolved, false)) AS event (quarter, creation)
    WHERE event.quarter IS NOT NULL;
END;

-- Folds at most that many changes (NULL: all there are) into the counters. One at a time: who finds another at it
-- leaves it to him, so nobody waits, and the counters' rows are locked by nobody else. Under repeatable read another's
-- fold would be an error here, and is left alone too.
CREATE FUNCTION fold_ticket_changes(most integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' OR NOT pg_try_advisory_xact_lock(7598253, 1) THEN
        RETURN;
    END IF;
    WITH taken AS (
        DELETE FROM ticket_changes
        WHERE ctid = ANY (ARRAY(SELECT ctid FROM ticket_changes LIMIT most))
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
    )
    INSERT INTO ticket_quarters AS q
    SELECT
        event.quarter,
        sum(event.created_low), sum(event.created_medium), sum(event.created_high), sum(event.created_critical),
        sum(event.created_billing), sum(event.created_technical), sum(event.created_account), sum(event.created_general),
        sum(event.resolved_low), sum(event.resolved_medium), sum(event.resolved_high), sum(event.resolved_critical),
        sum(event.resolved_billing), sum(event.resolved_technical), sum(event.resolved_account), sum(event.resolved_general)
    FROM (
        SELECT happened.created, happened.resolved, category, priority, sum(tickets)::integer AS tickets
        FROM taken
        CROSS JOIN LATERAL (
            VALUES (taken.created, NULL), (NULL, taken.resolved)
        ) AS happened (created, resolved)
        GROUP BY happened.created, happened.resolved, category, priority
        HAVING sum(tickets) <> 0
    ) AS sums
    CROSS JOIN LATERAL quarters_of(sums.created, sums.resolved, sums.category, sums.priority, sums.tickets) AS event
    GROUP BY event.quarter
    ON CONFLICT (quarter) DO UPDATE SET
        created_low = q.created_low + excluded.created_low,
        created_medium = q.created_medium + excluded.created_medium,
        created_high = q.created_high + excluded.created_high,
        created_critical = q.created_critical + excluded.created_critical,
        created_billing = q.created_billing + excluded.created_billing,
        created_technical = q.created_technical + excluded.created_technical,
        created_account = q.created_account + excluded.created_account,
        created_general = q.created_general + excluded.created_general,
        resolved_low = q.resolved_low + excluded.resolved_low,
        resolved_medium = q.resolved_medium + excluded.resolved_medium,
        resolved_high = q.resolved_high + excluded.resolved_high,
        resolved_critical = q.resolved_critical + excluded.resolved_critical,
        resolved_billing = q.resolved_billing + excluded.resolved_billing,
        resolved_technical = q.resolved_technical + excluded.resolved_technical,
        resolved_account = q.resolved_account + excluded.resolved_account,
        resolved_general = q.resolved_general + excluded.resolved_general;
END $$;

-- A fold costs much the same for one change or for hundreds, so every 256th change or so makes whoever writes it fold;
-- a statement that leaves that many folds them all.
CREATE FUNCTION count_created() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes bigint;
BEGIN
    INSERT INTO ticket_changes
    SELECT quarter_hour(created_at), quarter_hour(resolved_at), category, priority, status, count(*)
    FROM created
    GROUP BY 1, 2, category, priority, status;
    GET DIAGNOSTICS changes = ROW_COUNT;
    IF changes > random() * 256 THEN
        PERFORM fold_ticket_changes(CASE WHEN changes < 256 THEN 10000 END);
    END IF;
    RETURN NULL;
END $$;

-- By the row: most changes leave these columns alone, and then it costs nothing.
CREATE FUNCTION count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ticket_changes VALUES
        (quarter_hour(OLD.created_at), quarter_hour(OLD.resolved_at), OLD.category, OLD.priority, OLD.status, -1),
        (quarter_hour(NEW.created_at), quarter_hour(NEW.resolved_at), NEW.category, NEW.priority, NEW.status, 1);
    IF random() * 256 < 2 THEN
        PERFORM fold_ticket_changes(10000);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes bigint;
BEGIN
    INSERT INTO ticket_changes
    SELECT quarter_hour(created_at), quarter_hour(resolved_at), category, priority, status, -count(*)
    FROM deleted
    GROUP BY 1, 2, category, priority, status;
    GET DIAGNOSTICS changes = ROW_COUNT;
    IF changes > random() * 256 THEN
        PERFORM fold_ticket_changes(CASE WHEN changes < 256 THEN 10000 END);
    END IF;
    RETURN NULL;
END $$;

-- DELETE, as TRUNCATE would lock out those who read the counters and are about to read the tickets.
CREATE FUNCTION count_none() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ticket_changes;
    DELETE FROM ticket_totals;
    DELETE FROM ticket_days;
    DELETE FROM ticket_quarters;
    RETURN NULL;
END $$;

-- Counts all tickets anew while others write: what they change from this snapshot on is in the changes that they leave.
CREATE FUNCTION recount_tickets() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE 'recount_tickets() needs a transaction that is READ COMMITTED: it waits for a lock, then looks.';
    END IF;
    PERFORM pg_advisory_xact_lock(7598253, 1); -- nobody folds meanwhile
    WITH changes AS (DELETE FROM ticket_changes),
    totals AS (DELETE FROM ticket_totals),
    days AS (DELETE FROM ticket_days),
    quarters AS (DELETE FROM ticket_quarters)
    INSERT INTO ticket_changes
    SELECT quarter_hour(created_at), quarter_hour(resolved_at), category, priority, status, count(*)
    FROM tickets
    GROUP BY 1, 2, category, priority, status;
    PERFORM fold_ticket_changes(NULL);
END $$;

-- The first midnight in UTC that is not before that time, and the last that is not after it.
CREATE FUNCTION first_midnight(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_bin('24 hours', at + interval '23:59:59.999999', '1970-01-01T00:00:00Z');
CREATE FUNCTION last_midnight(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_bin('24 hours', at, '1970-01-01T00:00:00Z');

-- The tickets created in a window (since inclusive, before exclusive, NULL: open), by their facets, as rows to sum up.
-- Whole days in UTC come from the counters; the ends of the window, parts of a day, from the tickets.
CREATE FUNCTION counted_tickets(since timestamptz, before timestamptz)
    RETURNS TABLE (category ticket_category, priority ticket_priority, status ticket_status, tickets integer)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT t.category, t.priority, t.status, t.tickets
    FROM ticket_totals AS t
    WHERE since IS NULL AND before IS NULL
    UNION ALL
    SELECT d.category, d.priority, d.status, d.tickets
    FROM ticket_days AS d
    WHERE (since IS NOT NULL OR before IS NOT NULL)
        AND d.day >= coalesce((first_midnight(since) AT TIME ZONE 'UTC')::date, '-infinity')
        AND d.day < coalesce((last_midnight(before) AT TIME ZONE 'UTC')::date, 'infinity')
    UNION ALL
    SELECT c.category, c.priority, c.status, c.tickets
    FROM ticket_changes AS c
    WHERE c.created >= coalesce(first_midnight(since), '-infinity')
        AND c.created < coalesce(last_midnight(before), 'infinity')
    UNION ALL
    SELECT t.category, t.priority, t.status, 1
    FROM tickets AS t
    WHERE t.id >= uuid_v7_floor(since)
        AND t.id < uuid_v7_floor(least(first_midnight(since), before))
    UNION ALL
    SELECT t.category, t.priority, t.status, 1
    FROM tickets AS t
    WHERE t.id >= uuid_v7_floor(greatest(last_midnight(before), first_midnight(since)))
        AND t.id < uuid_v7_floor(before);
END;

-- Counts by priority and by category, the members of an object. NULL counts as none.
CREATE FUNCTION breakdowns_json(
    low bigint, medium bigint, high bigint, critical bigint,
    billing bigint, technical bigint, account bigint, general bigint
) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '"priority_breakdown":{"low":' || coalesce(low, 0)
        || ',"medium":' || coalesce(medium, 0)
        || ',"high":' || coalesce(high, 0)
        || ',"critical":' || coalesce(critical, 0)
        || '},"category_breakdown":{"billing":' || coalesce(billing, 0)
        || ',"technical":' || coalesce(technical, 0)
        || ',"account":' || coalesce(account, 0)
        || ',"general":' || coalesce(general, 0)
        || '}';

-- The statistics of so many tickets as callers see them. Tickets a day are the total over the days from the oldest to the
-- newest ticket, with fractions, at least one day. NULL counts as none.
CREATE FUNCTION headline_json(
    total bigint, open bigint, oldest timestamptz, newest timestamptz,
    low bigint, medium bigint, high bigint, critical bigint,
    billing bigint, technical bigint, account bigint, general bigint
) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"total_tickets":' || coalesce(total, 0)
        || ',"open_tickets":' || coalesce(open, 0)
        || ',"avg_tickets_per_day":'
        || round(coalesce(total / greatest(1, extract(epoch FROM newest - oldest) / 86400), 0), 1)
        || ',' || breakdowns_json(low, medium, high, critical, billing, technical, account, general)
        || '}';

-- The tickets of a day, counted. NULL counts as none.
CREATE FUNCTION day_json(
    low bigint, medium bigint, high bigint, critical bigint,
    billing bigint, technical bigint, account bigint, general bigint
) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{"total":' || coalesce(low + medium + high + critical, 0)
        || ',' || breakdowns_json(low, medium, high, critical, billing, technical, account, general)
        || '}';

-- So many resolution times, and their median and 90th percentile in seconds: the members of an object.
CREATE FUNCTION times_json(tickets bigint, seconds double precision[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '"count":' || coalesce(tickets, 0)
        || ',"median_seconds":' || coalesce(round(seconds[1]::numeric, 3)::text, 'null')
        || ',"p90_seconds":' || coalesce(round(seconds[2]::numeric, 3)::text, 'null');
