-- Returns the changes of a history entry without the texts that people wrote and without the customer: for a deleted ticket
-- the entry says that these were changed, not what they were.
CREATE OR REPLACE FUNCTION redact_texts(changes jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT coalesce(
            jsonb_object_agg(
                change.key,
                CASE
                    WHEN change.key IN ('title', 'description', 'requester', 'metadata') THEN '{"from":null,"to":null}'
                    ELSE change.value
                END
            ),
            '{}'
        )
        FROM jsonb_each(changes) AS change
    );
