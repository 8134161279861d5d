-- Returns the first midnight in UTC that is not before the given time.
CREATE OR REPLACE FUNCTION first_midnight(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_bin('24 hours', at + interval '23:59:59.999999', '1970-01-01T00:00:00Z');

-- Returns the last midnight in UTC that is not after the given time.
CREATE OR REPLACE FUNCTION last_midnight(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_bin('24 hours', at, '1970-01-01T00:00:00Z');
