-- Returns whether attempts have failed that often in a row that the receiver must be the reason, not an event. Then one
-- delivery at a time is attempted, with growing pauses, until one succeeds.
CREATE OR REPLACE FUNCTION is_failing(failures integer) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN failures >= 3;
