-- Recomputes all counters from the tickets while others write: what they change after this snapshot is in the deltas
-- that they write.
CREATE OR REPLACE FUNCTION recount_tickets() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE 'recount_tickets() needs a transaction that is READ COMMITTED: it waits for a lock, then looks.';
    END IF;
    -- No other session applies deltas meanwhile.
    PERFORM pg_advisory_xact_lock(7598253, 'ticket_count_deltas'::regclass::oid::integer);
    WITH deltas AS (DELETE FROM ticket_count_deltas),
    totals AS (DELETE FROM ticket_totals),
    days AS (DELETE FROM ticket_days),
    counts_15min AS (DELETE FROM ticket_counts_15min),
    durations AS (DELETE FROM ticket_durations)
    INSERT INTO ticket_count_deltas
    SELECT floor_15min(created_at), floor_15min(resolved_at), category, priority, status, count(*),
        duration_bucket(created_at, resolved_at), duration_bucket(created_at, first_response_at)
    FROM tickets
    GROUP BY 1, 2, category, priority, status, 7, 8;
    PERFORM apply_count_deltas(NULL);
END $$;
