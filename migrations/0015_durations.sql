-- Statistics of resolution and response times: how many tickets took how long is counted, too.
-- It runs outside a transaction, while the previous release is running: no lock is held while the table is read.
-- Every statement may run again.
-- depends: 0014_webhooks
-- transactional: false

CREATE OR REPLACE FUNCTION duration_limits() RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY(
        SELECT (1 << octave) * (1 + part::double precision / 32)
        FROM generate_series(0, 26) AS octave
        CROSS JOIN generate_series(0, 31) AS part
        ORDER BY octave, part
    );

CREATE OR REPLACE FUNCTION duration_bucket(created timestamptz, ended timestamptz) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN width_bucket(date_part('epoch', ended - created), duration_limits())::smallint;

CREATE OR REPLACE FUNCTION floor_week(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_bin('7 days', at, '1970-01-01T00:00:00Z');

-- The tickets that were created in a week, by the bucket (duration_bucket) of the time to their first resolution or response.
-- Their status is left out: it changes often, and this does not.
CREATE TABLE IF NOT EXISTS ticket_durations (
    is_response boolean NOT NULL,
    week timestamptz NOT NULL,
    category ticket_category NOT NULL,
    bucket smallint NOT NULL,
    low integer NOT NULL,
    medium integer NOT NULL,
    high integer NOT NULL,
    critical integer NOT NULL,
    CONSTRAINT ticket_durations_pkey PRIMARY KEY (is_response, week, category, bucket)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- Roles that may write the other counters may write these: the triggers run with their privileges.
DO $$
DECLARE
    permission text;
BEGIN
    FOR permission IN
        SELECT format(
            'GRANT %s ON ticket_durations TO %s', acl.privilege_type, coalesce(quote_ident(role.rolname), 'PUBLIC')
        )
        FROM pg_class
        CROSS JOIN LATERAL aclexplode(pg_class.relacl) AS acl
        LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
        WHERE pg_class.oid = 'ticket_days'::regclass
    LOOP
        EXECUTE permission;
    END LOOP;
END $$;

ALTER TABLE ticket_count_deltas
    ADD COLUMN IF NOT EXISTS resolution_bucket smallint,
    ADD COLUMN IF NOT EXISTS response_bucket smallint;

-- They serve what tickets_resolved and tickets_responded serve, and are not larger.
DROP INDEX CONCURRENTLY IF EXISTS tickets_resolution_times;
CREATE INDEX CONCURRENTLY tickets_resolution_times
    ON tickets (floor_week(created_at), category, priority, duration_bucket(created_at, resolved_at))
    INCLUDE (status, created_at, resolved_at)
    WHERE resolved_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS tickets_resolved;
DROP INDEX CONCURRENTLY IF EXISTS tickets_response_times;
CREATE INDEX CONCURRENTLY tickets_response_times
    ON tickets (floor_week(created_at), category, priority, duration_bucket(created_at, first_response_at))
    INCLUDE (status, created_at, first_response_at)
    WHERE first_response_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS tickets_responded;

-- From here on durations are counted. The files of sql/functions replace these functions afterwards; creating the trigger waits
-- for the transactions that have called their previous versions.
CREATE OR REPLACE FUNCTION count_created() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deltas bigint;
BEGIN
    INSERT INTO ticket_count_deltas
    SELECT floor_15min(created_at), floor_15min(resolved_at), category, priority, status, 1,
        duration_bucket(created_at, resolved_at), duration_bucket(created_at, first_response_at)
    FROM created;
    GET DIAGNOSTICS deltas = ROW_COUNT;
    IF deltas > random() * 256 THEN
        PERFORM apply_count_deltas(CASE WHEN deltas < 256 THEN 10000 END);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ticket_count_deltas VALUES
        (
            floor_15min(OLD.created_at), floor_15min(OLD.resolved_at), OLD.category, OLD.priority, OLD.status, -1,
            duration_bucket(OLD.created_at, OLD.resolved_at), duration_bucket(OLD.created_at, OLD.first_response_at)
        ),
        (
            floor_15min(NEW.created_at), floor_15min(NEW.resolved_at), NEW.category, NEW.priority, NEW.status, 1,
            duration_bucket(NEW.created_at, NEW.resolved_at), duration_bucket(NEW.created_at, NEW.first_response_at)
        );
    IF random() * 256 < 2 THEN
        PERFORM apply_count_deltas(10000);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deltas bigint;
BEGIN
    INSERT INTO ticket_count_deltas
    SELECT floor_15min(created_at), floor_15min(resolved_at), category, priority, status, -count(*),
        duration_bucket(created_at, resolved_at), duration_bucket(created_at, first_response_at)
    FROM deleted
    GROUP BY 1, 2, category, priority, status, 7, 8;
    GET DIAGNOSTICS deltas = ROW_COUNT;
    IF deltas > random() * 256 THEN
        PERFORM apply_count_deltas(CASE WHEN deltas < 256 THEN 10000 END);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION apply_count_deltas(max_deltas integer) RETURNS void
    LANGUAGE plpgsql
    SET enable_seqscan TO off -- what was selected is deleted by its place, however small the table seems
    AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' OR NOT pg_try_advisory_xact_lock(7598253, 1) THEN
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

CREATE OR REPLACE TRIGGER count_changed AFTER UPDATE ON tickets
    FOR EACH ROW WHEN (
        (OLD.category, OLD.priority, OLD.status, OLD.created_at, OLD.resolved_at, OLD.first_response_at)
        IS DISTINCT FROM (NEW.category, NEW.priority, NEW.status, NEW.created_at, NEW.resolved_at, NEW.first_response_at)
    )
    EXECUTE FUNCTION count_changed();

-- What was there before is counted last, in one snapshot, without what the deltas of that snapshot will add. Nobody applies
-- deltas meanwhile, and nobody waits for that.
DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(7598253, 1);
    DELETE FROM ticket_durations;
    INSERT INTO ticket_durations
    SELECT is_response, week, category, bucket,
        coalesce(sum(tickets) FILTER (WHERE priority = 'low'), 0),
        coalesce(sum(tickets) FILTER (WHERE priority = 'medium'), 0),
        coalesce(sum(tickets) FILTER (WHERE priority = 'high'), 0),
        coalesce(sum(tickets) FILTER (WHERE priority = 'critical'), 0)
    FROM (
        SELECT false AS is_response, floor_week(created_at) AS week, category, priority,
            duration_bucket(created_at, resolved_at) AS bucket, 1 AS tickets
        FROM tickets
        WHERE resolved_at IS NOT NULL
        UNION ALL
        SELECT true, floor_week(created_at), category, priority, duration_bucket(created_at, first_response_at), 1
        FROM tickets
        WHERE first_response_at IS NOT NULL
        UNION ALL
        SELECT duration.is_response, floor_week(created), category, priority, duration.bucket, -tickets
        FROM ticket_count_deltas
        CROSS JOIN LATERAL (
            VALUES (false, resolution_bucket), (true, response_bucket)
        ) AS duration (is_response, bucket)
        WHERE duration.bucket IS NOT NULL
    ) AS counted
    GROUP BY is_response, week, category, bucket
    ORDER BY is_response, week, category, bucket;
END $$;
