-- Returns the changes of a history entry without the texts that people wrote.
CREATE OR REPLACE FUNCTION redact_texts(changes jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN changes
        || CASE WHEN changes ? 'title' THEN '{"title":{"from":null,"to":null}}'::jsonb ELSE '{}' END
        || CASE WHEN changes ? 'description' THEN '{"description":{"from":null,"to":null}}'::jsonb ELSE '{}' END;
