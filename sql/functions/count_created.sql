-- Writes the deltas of new tickets, one for each: most statements create one ticket, and grouping it would cost more than the
-- delta. Applying deltas costs much the same for one or for hundreds, so about every 256th delta makes its writer apply them,
-- unless `flask work` does that; a statement that writes as many applies all. An import writes its tickets in several statements
-- and lets only the last one apply deltas, because that locks counters until it commits.
CREATE OR REPLACE FUNCTION count_created() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deltas bigint;
BEGIN
    INSERT INTO ticket_count_deltas
    SELECT floor_15min(created_at), floor_15min(resolved_at), category, priority, status, 1,
        duration_bucket(created_at, resolved_at), duration_bucket(created_at, first_response_at)
    FROM created;
    GET DIAGNOSTICS deltas = ROW_COUNT;
    IF deltas > random() * 256
        AND current_setting('ticketsvc.counting', true) IS DISTINCT FROM 'deferred'
        AND (deltas >= 256 OR NOT background_work_is_taken())
    THEN
        PERFORM apply_count_deltas(CASE WHEN deltas < 256 THEN 10000 END);
    END IF;
    RETURN NULL;
END $$;
