-- Sets the id and the time of change of a row that is inserted without an id (COPY, an INSERT by hand).
CREATE OR REPLACE FUNCTION tickets_defaults() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.id := uuid_v7(NEW.created_at);
    NEW.updated_at := coalesce(NEW.updated_at, NEW.created_at);
    RETURN NEW;
END $$;
