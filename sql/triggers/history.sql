-- Every change of a ticket writes a history entry. The creation writes none: it is read off the ticket.
CREATE OR REPLACE TRIGGER ticket_history_changed AFTER UPDATE ON tickets
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW)
    EXECUTE FUNCTION ticket_history_write();

CREATE OR REPLACE TRIGGER ticket_history_deleted AFTER DELETE ON tickets
    FOR EACH ROW EXECUTE FUNCTION ticket_history_write();

CREATE OR REPLACE TRIGGER ticket_history_reset AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION ticket_history_reset();
