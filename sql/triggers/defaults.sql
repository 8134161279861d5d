-- Before a row is stored: its id, and the time of its first resolution. Triggers fire in the order of their names,
-- and tickets_resolve reads what tickets_defaults sets.
CREATE OR REPLACE TRIGGER tickets_defaults BEFORE INSERT ON tickets
    FOR EACH ROW WHEN (NEW.id IS NULL)
    EXECUTE FUNCTION tickets_defaults();

CREATE OR REPLACE TRIGGER tickets_resolve BEFORE INSERT OR UPDATE ON tickets
    FOR EACH ROW WHEN (NEW.resolved_at IS NULL AND NEW.status IN ('resolved', 'closed'))
    EXECUTE FUNCTION tickets_resolve();
