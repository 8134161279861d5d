-- Stores the search texts of new tickets, and writes their events to the outbox: a statement of its own for that would cost a
-- create 3%. The events of changes are written with the history.
CREATE OR REPLACE FUNCTION ticket_texts_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH outbox AS (
        INSERT INTO event_outbox (ticket_id, entry) SELECT t.id, 0 FROM added AS t
    )
    INSERT INTO ticket_texts (id, week, text)
    SELECT t.id, ticket_week(t.id), search_text(t.title, t.description) FROM added AS t;
    RETURN NULL;
END $$;
