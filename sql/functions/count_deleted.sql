-- Writes the deltas of deleted tickets, and sometimes applies them, as count_created() does.
CREATE OR REPLACE FUNCTION count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deltas bigint;
BEGIN
    IF TG_LEVEL = 'STATEMENT' THEN
        INSERT INTO ticket_count_deltas
        SELECT floor_15min(created_at), floor_15min(resolved_at), category, priority, status, -count(*),
            duration_bucket(created_at, resolved_at), duration_bucket(created_at, first_response_at)
        FROM deleted
        GROUP BY 1, 2, category, priority, status, 7, 8;
    ELSE
        INSERT INTO ticket_count_deltas VALUES (
            floor_15min(OLD.created_at), floor_15min(OLD.resolved_at), OLD.category, OLD.priority, OLD.status, -1,
            duration_bucket(OLD.created_at, OLD.resolved_at), duration_bucket(OLD.created_at, OLD.first_response_at)
        );
    END IF;
    GET DIAGNOSTICS deltas = ROW_COUNT;
    IF deltas > random() * 256 AND (deltas >= 256 OR NOT background_work_is_taken()) THEN
        PERFORM apply_count_deltas(CASE WHEN deltas < 256 THEN 10000 END);
    END IF;
    RETURN NULL;
END $$;
