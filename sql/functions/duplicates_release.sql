-- Lets the duplicates of a deleted ticket be duplicates of none. They stay closed.
CREATE OR REPLACE FUNCTION duplicates_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tickets AS t
    SET duplicate_of = NULL
    WHERE t.id = ANY (ARRAY(SELECT a.id FROM ticket_attributes AS a WHERE a.attribute = 'duplicate_of ' || OLD.id))
        AND t.duplicate_of = OLD.id;
    RETURN NULL;
END $$;
