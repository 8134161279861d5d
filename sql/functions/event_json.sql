-- Returns an event as JSON, as clients see it. `h` is its entry of the history, as they may see it, and `body` that of the
-- comment that it is about, NULL when it has been deleted since. Without a subquery in it, and with a column for `h`, the
-- planner expands it: a call takes 100 us.
-- depends: changes_json, event_type, rfc3339
CREATE OR REPLACE FUNCTION event_json(id text, h ticket_history, body text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"id":"' || id
        || '","type":"' || event_type(h.event)
        || '","at":"' || rfc3339(h.at)
        || '","ticket_id":"' || h.ticket_id
        || '","version":' || h.version
        || ',"by":' || coalesce(to_json(h.actor)::text, 'null')
        || ',"data":{"event":"' || h.event
        || '","changes":' || changes_json(h.changes)
        || coalesce(
            ',"comment":{"id":' || (h.comment -> 'id')::text
                || ',"author":' || (h.comment -> 'author')::text
                || ',"internal":' || (h.comment -> 'internal')::text
                || ',"body":' || coalesce(to_json(body)::text, 'null')
                || '}',
            ''
        )
        || coalesce(',"triage":' || h.triage, '')
        || '}}';
