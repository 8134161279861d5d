-- Returns the number of members of a ticket's metadata. The constraint tickets_at_most_50_metadata uses it.
CREATE OR REPLACE FUNCTION metadata_size(metadata jsonb) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT count(*) FROM jsonb_object_keys(metadata));
