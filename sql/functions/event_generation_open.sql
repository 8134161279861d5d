-- Opens a generation of numbers of events, the first or after a restore, that continues after last_seq.
-- depends: event_source
CREATE OR REPLACE FUNCTION event_generation_open(last_seq bigint) RETURNS void
    LANGUAGE sql VOLATILE
BEGIN ATOMIC
    INSERT INTO event_generations (generation, source, after_seq)
    VALUES (left(md5(gen_random_uuid()::text), 8), event_source(), last_seq);
END;
