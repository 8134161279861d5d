-- Sees to it that a duplicate is closed, that there is a ticket it is a duplicate of, and that no chain of duplicates returns to
-- its beginning. One that is reopened is no duplicate any more. Raises check_violation as tickets_valid() does.
-- Two sessions could close a circle together, so one waits for the other. The lock on the other ticket keeps it from being
-- deleted meanwhile.
CREATE OR REPLACE FUNCTION tickets_duplicate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    violated text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.duplicate_of = OLD.duplicate_of THEN
            IF NEW.status <> 'closed' THEN
                NEW.duplicate_of := NULL;
            END IF;
            RETURN NEW;
        END IF;
        -- To close a duplicate says nothing about labels that stay as they are: tickets_unjudged() reads `false`.
        NEW.category_unjudged := CASE WHEN NEW.category = OLD.category THEN false ELSE NEW.category_unjudged END;
        NEW.priority_unjudged := CASE WHEN NEW.priority = OLD.priority THEN false ELSE NEW.priority_unjudged END;
    END IF;
    PERFORM pg_advisory_xact_lock(7598253, 'ticket_attributes'::regclass::oid::integer);
    PERFORM FROM tickets AS t WHERE t.id = NEW.duplicate_of FOR KEY SHARE;
    IF NOT FOUND THEN
        violated := 'tickets_duplicate_of_exists';
    ELSIF EXISTS (
        WITH RECURSIVE chain AS (
            SELECT NEW.duplicate_of AS id
            UNION
            SELECT t.duplicate_of FROM chain JOIN tickets AS t USING (id) WHERE t.duplicate_of IS NOT NULL
        )
        SELECT FROM chain WHERE chain.id = NEW.id
    ) THEN
        violated := 'tickets_duplicate_of_no_cycle';
    END IF;
    IF violated IS NOT NULL THEN
        RAISE check_violation USING
            MESSAGE = format('ticket %s violates %I', NEW.id, violated),
            CONSTRAINT = violated,
            TABLE = 'tickets';
    END IF;
    NEW.status := 'closed';
    RETURN NEW;
END $$;
