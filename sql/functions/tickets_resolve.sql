-- Sets the time of the first resolution. It is unknown for a ticket that was stored with a final status (an import, an
-- INSERT by hand), unless somebody reopens and resolves it.
CREATE OR REPLACE FUNCTION tickets_resolve() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.resolved_at := greatest(now(), NEW.updated_at);
    RETURN NEW;
END $$;
