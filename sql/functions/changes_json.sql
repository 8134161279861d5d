-- Returns the changes of a history entry as JSON, as clients see them: {"field":{"from":...,"to":...},...}.
CREATE OR REPLACE FUNCTION changes_json(changes jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{' || coalesce((
            SELECT string_agg(
                to_json(change.key) || ':{"from":' || (change.value -> 'from') || ',"to":' || (change.value -> 'to') || '}',
                ','
            )
            FROM jsonb_each(changes) AS change
        ), '') || '}';
