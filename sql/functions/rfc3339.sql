-- Returns a time in the format of RFC 3339: UTC, milliseconds (the rest is cut off), and Z.
CREATE OR REPLACE FUNCTION rfc3339(at timestamptz) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
