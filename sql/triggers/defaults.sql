-- Before a row is stored: the id of a new one, the version and time of one that is changed by hand, the time of the first
-- resolution of one that is being resolved, and which of its labels only seem to be judged. Last, by the order of the names,
-- whether its values are in range.
CREATE OR REPLACE TRIGGER tickets_defaults BEFORE INSERT ON tickets
    FOR EACH ROW WHEN (NEW.id IS NULL)
    EXECUTE FUNCTION tickets_defaults();

CREATE OR REPLACE TRIGGER tickets_advance BEFORE UPDATE ON tickets
    FOR EACH ROW WHEN (NEW.version = OLD.version)
    EXECUTE FUNCTION tickets_advance();

CREATE OR REPLACE TRIGGER tickets_resolve BEFORE UPDATE ON tickets
    FOR EACH ROW WHEN (
        NEW.resolved_at IS NULL
        AND NEW.status IN ('resolved', 'closed')
        AND OLD.status NOT IN ('resolved', 'closed')
    )
    EXECUTE FUNCTION tickets_resolve();

CREATE OR REPLACE TRIGGER tickets_unjudged BEFORE UPDATE ON tickets
    FOR EACH ROW WHEN (NEW.category_unjudged IS NOT NULL OR NEW.priority_unjudged IS NOT NULL)
    EXECUTE FUNCTION tickets_unjudged();

CREATE OR REPLACE TRIGGER tickets_valid BEFORE INSERT OR UPDATE ON tickets
    FOR EACH ROW EXECUTE FUNCTION tickets_valid();
