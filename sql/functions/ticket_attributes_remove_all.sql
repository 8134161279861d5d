-- Removes all attributes when all tickets are removed.
CREATE OR REPLACE FUNCTION ticket_attributes_remove_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE ticket_attributes;
    RETURN NULL;
END $$;
