-- Gives a change that clients see a version and a time, if the statement did not: one by hand is a change like any other to
-- preconditions (If-Match), to polling and to readers of events.
CREATE OR REPLACE FUNCTION tickets_advance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF ticket_diff(OLD, NEW) <> '{}' THEN
        NEW.version := OLD.version + 1;
        IF NEW.updated_at = OLD.updated_at THEN
            NEW.updated_at := greatest(now(), OLD.updated_at);
        END IF;
    END IF;
    RETURN NEW;
END $$;
