-- Deletes the comments of a deleted ticket.
CREATE OR REPLACE FUNCTION comments_remove() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM comments AS c WHERE c.ticket_id = OLD.id;
    RETURN NULL;
END $$;

-- Deletes all comments after a TRUNCATE of the tickets.
CREATE OR REPLACE FUNCTION comments_remove_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE comments;
    RETURN NULL;
END $$;
