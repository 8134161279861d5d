-- Returns a history entry as JSON, as clients see it.
-- depends: changes_json, rfc3339
CREATE OR REPLACE FUNCTION history_json(h ticket_history) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"event":"' || h.event
        || '","version":' || h.version
        || ',"at":"' || rfc3339(h.at)
        || '","by":' || coalesce(to_json(h.actor)::text, 'null')
        || ',"request_id":' || coalesce(to_json(h.request_id)::text, 'null')
        || ',"changes":' || changes_json(h.changes)
        || coalesce(
            ',"comment":{"id":' || (h.comment -> 'id')::text
                || ',"author":' || (h.comment -> 'author')::text
                || ',"internal":' || (h.comment -> 'internal')::text
                || '}',
            ''
        )
        || coalesce(',"triage":' || h.triage, '')
        || '}';
