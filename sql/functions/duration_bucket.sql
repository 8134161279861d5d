-- Returns the bucket of the time from the creation of a ticket to its first resolution or response; NULL if that is unknown.
-- Bucket 0 is less than a second. Then 64 buckets of the same width divide each power of two: a bucket is at most 1.6% wide. The
-- last, from four years, has no end. The arithmetic is exact, whatever the machine.
-- The indexes of these times and the counters have its results: a change needs a migration that rebuilds both. It is written in
-- PL/pgSQL because every statement that writes tickets copies the expressions of the indexes, and this one stays short.
CREATE OR REPLACE FUNCTION duration_bucket(created timestamptz, ended timestamptz) RETURNS smallint
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    seconds CONSTANT double precision := date_part('epoch', ended - created);
    octave CONSTANT integer := width_bucket(seconds, '{
        1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288,
        1048576, 2097152, 4194304, 8388608, 16777216, 33554432, 67108864, 134217728
    }'::double precision[]);
BEGIN
    RETURN CASE
        WHEN octave = 0 THEN 0
        WHEN octave > 27 THEN 64 * 27 + 1
        ELSE 64 * (octave - 1) + 1 + floor(64 * (seconds / (1 << (octave - 1)) - 1))
    END;
END $$;
