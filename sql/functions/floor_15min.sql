-- Returns the start of the 15 minutes that a time is in. Every time zone has been a multiple of 15 minutes away from
-- UTC since 1972.
CREATE OR REPLACE FUNCTION floor_15min(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_bin('15 minutes', at, '1970-01-01T00:00:00Z');
