-- Returns a comment as JSON, as clients see it.
-- depends: rfc3339
CREATE OR REPLACE FUNCTION comment_json(c comments) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"id":"' || c.id
        || '","ticket_id":"' || c.ticket_id
        || '","author":' || coalesce(to_json(c.author)::text, 'null')
        || ',"internal":' || c.internal
        || ',"body":' || to_json(c.body)
        || ',"created_at":"' || rfc3339(c.created_at)
        || '"}';
