-- Every new ticket is an event, as every entry of the history is: ticket_history_write() writes those.
CREATE OR REPLACE TRIGGER events_add AFTER INSERT ON tickets
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION events_add();

CREATE OR REPLACE TRIGGER events_reset AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION events_reset();
