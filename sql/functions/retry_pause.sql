-- Returns how long to wait after a number of failed attempts in a row: 5 s, twice as long after each further one, at most 6
-- hours; a quarter more or less at random, so that what failed together is not repeated together.
CREATE OR REPLACE FUNCTION retry_pause(failures integer) RETURNS interval
    LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN least(interval '5 s' * 2 ^ least(failures - 1, 20), interval '6 hours') * (0.75 + random() / 2);
