-- Returns the least durations of the buckets 1, 2, ... in seconds: 32 for each power of two, from 1 second to 4 years. A
-- bucket is at most 3% wide. All limits are exact, whatever the machine.
CREATE OR REPLACE FUNCTION duration_limits() RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY(
        SELECT (1 << octave) * (1 + part::double precision / 32)
        FROM generate_series(0, 26) AS octave
        CROSS JOIN generate_series(0, 31) AS part
        ORDER BY octave, part
    );

-- Returns the bucket of the time from the creation of a ticket to its first resolution or response: 0 is less than a second,
-- the last bucket has no end. NULL if that is unknown. It is inlined: a call of a function would cost a change ten times as much.
-- The indexes of these times and the counters have its results: a change needs a migration that rebuilds both.
CREATE OR REPLACE FUNCTION duration_bucket(created timestamptz, ended timestamptz) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN width_bucket(date_part('epoch', ended - created), duration_limits())::smallint;
