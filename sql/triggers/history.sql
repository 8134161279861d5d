-- Every change of a ticket writes a history entry. The creation writes none: it is read off the ticket.
-- A new field that clients can change belongs into the condition here and into ticket_diff().
CREATE OR REPLACE TRIGGER ticket_history_changed AFTER UPDATE ON tickets
    FOR EACH ROW WHEN (
        (OLD.version, OLD.title, OLD.description, OLD.category, OLD.priority, OLD.status)
        IS DISTINCT FROM (NEW.version, NEW.title, NEW.description, NEW.category, NEW.priority, NEW.status)
    )
    EXECUTE FUNCTION ticket_history_write();

CREATE OR REPLACE TRIGGER ticket_history_deleted AFTER DELETE ON tickets
    FOR EACH ROW EXECUTE FUNCTION ticket_history_write();

CREATE OR REPLACE TRIGGER ticket_history_reset AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION ticket_history_reset();
