-- Writes the deltas of a changed ticket: one less as it was, one more as it is. It is a row trigger because most
-- changes leave these columns alone, and then it costs nothing. Those of a new status alone cancel out for durations, so they
-- have none.
CREATE OR REPLACE FUNCTION count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.category, OLD.priority, OLD.created_at, OLD.resolved_at, OLD.first_response_at)
        IS NOT DISTINCT FROM (NEW.category, NEW.priority, NEW.created_at, NEW.resolved_at, NEW.first_response_at)
    THEN
        INSERT INTO ticket_count_deltas VALUES
            (floor_15min(OLD.created_at), floor_15min(OLD.resolved_at), OLD.category, OLD.priority, OLD.status, -1),
            (floor_15min(NEW.created_at), floor_15min(NEW.resolved_at), NEW.category, NEW.priority, NEW.status, 1);
    ELSE
        INSERT INTO ticket_count_deltas VALUES
            (
                floor_15min(OLD.created_at), floor_15min(OLD.resolved_at), OLD.category, OLD.priority, OLD.status, -1,
                duration_bucket(OLD.created_at, OLD.resolved_at), duration_bucket(OLD.created_at, OLD.first_response_at)
            ),
            (
                floor_15min(NEW.created_at), floor_15min(NEW.resolved_at), NEW.category, NEW.priority, NEW.status, 1,
                duration_bucket(NEW.created_at, NEW.resolved_at), duration_bucket(NEW.created_at, NEW.first_response_at)
            );
    END IF;
    IF random() * 256 < 2 AND NOT background_work_is_taken() THEN
        PERFORM apply_count_deltas(10000);
    END IF;
    RETURN NULL;
END $$;
