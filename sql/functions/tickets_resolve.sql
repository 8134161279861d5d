-- Sets the time of the first resolution. A ticket that is inserted with a final status was resolved by its last
-- change; so was one from before the column existed.
CREATE OR REPLACE FUNCTION tickets_resolve() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.resolved_at := NEW.updated_at;
    ELSIF OLD.status IN ('resolved', 'closed') THEN
        NEW.resolved_at := coalesce(OLD.resolved_at, OLD.updated_at);
    ELSE
        NEW.resolved_at := greatest(now(), NEW.updated_at);
    END IF;
    RETURN NEW;
END $$;
