-- Returns the id of the event with a number, which is the cursor after it: the generation that gave the number, and the number.
CREATE OR REPLACE FUNCTION event_id(seq bigint) RETURNS text
    LANGUAGE sql STABLE
    RETURN (
        SELECT g.generation || '-' || seq
        FROM event_generations AS g
        WHERE g.after_seq < seq OR g.after_seq = 0
        ORDER BY g.ordinal DESC
        LIMIT 1
    );
