-- Returns how many seconds are left until a time, rounded up.
CREATE OR REPLACE FUNCTION seconds_until(at timestamptz) RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ceil(extract(epoch FROM at - now()))::integer;
