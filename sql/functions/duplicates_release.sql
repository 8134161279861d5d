-- Lets the duplicates of a deleted ticket be duplicates of none. They stay closed. The UPDATE runs only if there are some: like
-- each one, it ends what the statement has deferred (triage_learn_deferred).
CREATE OR REPLACE FUNCTION duplicates_release() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    duplicates uuid[] := ARRAY(SELECT a.id FROM ticket_attributes AS a WHERE a.attribute = 'duplicate_of ' || OLD.id);
BEGIN
    IF duplicates <> '{}' THEN
        UPDATE tickets AS t SET duplicate_of = NULL WHERE t.id = ANY (duplicates) AND t.duplicate_of = OLD.id;
    END IF;
    RETURN NULL;
END $$;
