-- Returns the number of the event that a cursor names, or NULL if a reader cannot continue there without missing events:
-- the next event has been pruned, or the generation is unknown, or a later one has given the numbers that follow again.
CREATE OR REPLACE FUNCTION event_seq(cursor_generation text, cursor_seq bigint) RETURNS bigint
    LANGUAGE sql STABLE
    RETURN (
        SELECT cursor_seq
        FROM event_generations AS g
        WHERE g.generation = cursor_generation
            AND cursor_seq >= g.after_seq
            AND cursor_seq <= ALL (SELECT later.after_seq FROM event_generations AS later WHERE later.ordinal > g.ordinal)
            AND cursor_seq <= coalesce((SELECT max(seq) FROM events), 0)
            AND cursor_seq >= coalesce((SELECT min(seq) FROM events), 1) - 1
    );
