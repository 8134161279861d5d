-- Returns a history entry as those see it who may not read internal comments: of an internal comment, only that the ticket
-- changed.
CREATE OR REPLACE FUNCTION without_internal_comment(h ticket_history) RETURNS ticket_history
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT CASE
        WHEN (h.comment -> 'internal')::boolean THEN ROW(
            h.ticket_id, h.entry, h.version, h.at, 'changed', h.actor, h.request_id, h.changes, h.triage, NULL
        )::ticket_history
        ELSE h
    END;
END;
