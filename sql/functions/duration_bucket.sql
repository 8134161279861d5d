-- Returns the least durations of the buckets 1, 2, ... in seconds: 64 for each power of two, from 1 second to 4 years. A
-- bucket is at most 1.6% wide. All limits are exact, whatever the machine.
CREATE OR REPLACE FUNCTION duration_limits() RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY(
        SELECT (1 << octave) * (1 + part::double precision / 64)
        FROM generate_series(0, 26) AS octave
        CROSS JOIN generate_series(0, 63) AS part
        ORDER BY octave, part
    );

-- Returns the bucket of a duration in seconds: 0 is less than a second, the last bucket has no end.
CREATE OR REPLACE FUNCTION seconds_bucket(seconds double precision) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN width_bucket(seconds, duration_limits())::smallint;

-- Returns the bucket of the time from the creation of a ticket to its first resolution or response; NULL if that is unknown.
-- The indexes of these times and the counters have its results: a change needs a migration that rebuilds both. It is written in
-- PL/pgSQL because every statement that writes tickets copies the expressions of the indexes, and this one stays short.
CREATE OR REPLACE FUNCTION duration_bucket(created timestamptz, ended timestamptz) RETURNS smallint
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN seconds_bucket(date_part('epoch', ended - created));
END $$;
