-- Returns a new id for a ticket created at the given time. The variant and 62 random bits are those of a version 4
-- UUID.
-- depends: uuid_v7_prefix
CREATE OR REPLACE FUNCTION uuid_v7(at timestamptz) RETURNS uuid
    LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
    RETURN (uuid_v7_prefix(at) || right(gen_random_uuid()::text, 17))::uuid;
