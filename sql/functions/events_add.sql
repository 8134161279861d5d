-- Writes the events of new tickets to the outbox. Those of changes are written with the history.
CREATE OR REPLACE FUNCTION events_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_outbox (ticket_id, entry) SELECT t.id, 0 FROM added AS t;
    RETURN NULL;
END $$;
