-- Deletes the search text of a deleted ticket.
CREATE OR REPLACE FUNCTION ticket_texts_remove() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ticket_texts AS x WHERE x.id = OLD.id;
    RETURN NULL;
END $$;

-- Deletes all search texts after a TRUNCATE of the tickets.
CREATE OR REPLACE FUNCTION ticket_texts_remove_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE ticket_texts;
    RETURN NULL;
END $$;
