-- Deletes the whole history and all idempotency keys after a TRUNCATE of the tickets.
CREATE OR REPLACE FUNCTION ticket_history_reset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ticket_history;
    DELETE FROM idempotency_records;
    RETURN NULL;
END $$;
