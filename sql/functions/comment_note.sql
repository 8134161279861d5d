-- Returns the value of the setting ticketsvc.comment, with which a statement tells ticket_history_write() that a version of a
-- ticket is about a comment.
CREATE OR REPLACE FUNCTION comment_note(
    event text, ticket_id uuid, version integer, id uuid, author text, internal boolean
) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN jsonb_build_object(
        'event', event,
        'ticket_id', ticket_id,
        'version', version,
        'comment', jsonb_build_object('id', id, 'author', author, 'internal', internal)
    )::text;
