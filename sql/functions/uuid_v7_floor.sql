-- Returns the least id that a ticket created at the given time can have: id >= uuid_v7_floor(t) is the same condition
-- as created_at >= t. Times before 1970 count as 1970.
-- depends: uuid_v7_prefix
CREATE OR REPLACE FUNCTION uuid_v7_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN (uuid_v7_prefix(greatest(at, '1970-01-01T00:00:00Z')) || '8000000000000000')::uuid;
