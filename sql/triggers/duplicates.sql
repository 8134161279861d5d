-- The names make them run between tickets_advance, which gives the change its version, and tickets_resolve, which needs the status.
CREATE OR REPLACE TRIGGER tickets_duplicate_added BEFORE INSERT ON tickets
    FOR EACH ROW WHEN (NEW.duplicate_of IS NOT NULL)
    EXECUTE FUNCTION tickets_duplicate();

CREATE OR REPLACE TRIGGER tickets_duplicate BEFORE UPDATE ON tickets
    FOR EACH ROW WHEN (NEW.duplicate_of IS NOT NULL)
    EXECUTE FUNCTION tickets_duplicate();

CREATE OR REPLACE TRIGGER duplicates_release AFTER DELETE ON tickets
    FOR EACH ROW EXECUTE FUNCTION duplicates_release();
