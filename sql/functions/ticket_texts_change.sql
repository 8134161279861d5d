-- Stores the new search text of a ticket. It may be missing while the migration that creates the table copies the
-- texts of older tickets.
CREATE OR REPLACE FUNCTION ticket_texts_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ticket_texts (id, week, text)
    VALUES (NEW.id, ticket_week(NEW.id), search_text(NEW.title, NEW.description))
    ON CONFLICT (id) DO UPDATE SET text = excluded.text;
    RETURN NULL;
END $$;
