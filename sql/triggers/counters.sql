-- Every change of the tickets writes deltas of the counters.
CREATE OR REPLACE TRIGGER count_created AFTER INSERT ON tickets
    REFERENCING NEW TABLE AS created
    FOR EACH STATEMENT EXECUTE FUNCTION count_created();

CREATE OR REPLACE TRIGGER count_changed AFTER UPDATE ON tickets
    FOR EACH ROW WHEN (
        (OLD.category, OLD.priority, OLD.status, OLD.created_at, OLD.resolved_at, OLD.first_response_at)
        IS DISTINCT FROM (NEW.category, NEW.priority, NEW.status, NEW.created_at, NEW.resolved_at, NEW.first_response_at)
    )
    EXECUTE FUNCTION count_changed();

CREATE OR REPLACE TRIGGER count_deleted AFTER DELETE ON tickets
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION count_deleted();

CREATE OR REPLACE TRIGGER reset_counts AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION reset_counts();
