-- Writes the deltas of deleted tickets, and sometimes applies them, as count_created() does.
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
    IF deltas > random() * 256 AND (deltas >= 256 OR NOT background_work_is_taken()) THEN
        PERFORM apply_count_deltas(CASE WHEN deltas < 256 THEN 10000 END);
    END IF;
    RETURN NULL;
END $$;
