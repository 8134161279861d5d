-- Every new ticket is an event, as every entry of the history is: ticket_texts_add() and ticket_history_write() write them to the
-- outbox.
CREATE OR REPLACE TRIGGER events_reset AFTER TRUNCATE ON tickets
    FOR EACH STATEMENT EXECUTE FUNCTION events_reset();
