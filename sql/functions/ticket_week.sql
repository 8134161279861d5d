-- Returns the week of a ticket's creation, counted from 1970-01-01, from the 48 bits of its id that are milliseconds.
-- Weeks sort as ids do.
CREATE OR REPLACE FUNCTION ticket_week(id uuid) RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (('x' || left(translate(id::text, '-', ''), 12))::bit(48)::bigint / 604800000)::integer;

-- Returns the least id of a week; for the week after the last that ids can have, the greatest id of all.
CREATE OR REPLACE FUNCTION ticket_week_floor(week integer) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE
        WHEN week::bigint * 604800000 >= 1::bigint << 48 THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'
        ELSE rpad(lpad(to_hex(week::bigint * 604800000), 12, '0'), 32, '0')::uuid
    END;
