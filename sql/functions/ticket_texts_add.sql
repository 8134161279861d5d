-- Stores the search texts of new tickets.
CREATE OR REPLACE FUNCTION ticket_texts_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ticket_texts (id, week, text)
    SELECT t.id, ticket_week(t.id), search_text(t.title, t.description) FROM added AS t;
    RETURN NULL;
END $$;
