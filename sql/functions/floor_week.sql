-- Returns the start of the week that a time is in: weeks as those of ticket_week().
CREATE OR REPLACE FUNCTION floor_week(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_bin('7 days', at, '1970-01-01T00:00:00Z');
