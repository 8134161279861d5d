-- Numbers the events of all transactions that have committed, in the order of their tickets' versions, and returns how many
-- there were; at most max_events. One session at a time: the others wait, and then find nothing to do. For this each statement
-- needs a snapshot of its own: under repeatable read one that waited fails, because its rows are deleted, and is run again.
-- It reads the outbox from the `horizon` of the last event on: rows that are deleted stay in the index as long as an old
-- transaction might see them. Numbers of transactions belong to a database cluster, so a new generation reads all of it.
CREATE OR REPLACE FUNCTION publish_events(max_events integer) RETURNS bigint
    LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    newest event_generations;
    last events;
    horizon_before xid8;
    published bigint;
BEGIN
    FOR attempt IN 1..2 LOOP
        SELECT * INTO newest FROM event_generations ORDER BY ordinal DESC LIMIT 1;
        SELECT * INTO last FROM events ORDER BY seq DESC LIMIT 1;
        last.seq := coalesce(last.seq, 0);
        IF newest.source = event_source() AND last.seq > newest.after_seq THEN
            horizon_before := last.horizon;
        ELSE
            horizon_before := '0';
        END IF;
        IF NOT EXISTS (SELECT FROM event_outbox WHERE xid >= horizon_before) THEN
            RETURN 0;
        END IF;
        IF attempt = 1 THEN
            PERFORM pg_advisory_xact_lock_shared(7598253, 3); -- what the previous release's function holds alone
            PERFORM pg_advisory_xact_lock(7598253, 'event_outbox'::regclass::oid::integer);
        END IF;
    END LOOP;
    IF newest.source IS DISTINCT FROM event_source() THEN
        PERFORM event_generation_open(last.seq);
    END IF;
    WITH next AS MATERIALIZED (
        SELECT o.ctid
        FROM event_outbox AS o
        WHERE o.xid >= horizon_before
        ORDER BY o.id
        LIMIT max_events
    ),
    taken AS (
        DELETE FROM event_outbox AS o
        WHERE o.ctid = ANY (ARRAY(SELECT next.ctid FROM next))
        RETURNING o.id, o.ticket_id, o.entry, o.at
    )
    INSERT INTO events (seq, ticket_id, entry, at, horizon)
    SELECT
        last.seq + row_number() OVER (ORDER BY taken.id),
        taken.ticket_id,
        taken.entry,
        taken.at,
        CASE
            WHEN (SELECT count(*) FROM next) < max_events THEN pg_snapshot_xmin(pg_current_snapshot())
            ELSE horizon_before
        END
    FROM taken;
    GET DIAGNOSTICS published = ROW_COUNT;
    RETURN published;
END $$;
