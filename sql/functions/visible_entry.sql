-- Returns a history entry, or if those who see it may not read internal comments and it is about one, only that the ticket
-- changed, without the author of the change, who wrote the comment.
CREATE OR REPLACE FUNCTION visible_entry(h ticket_history, without_internal boolean) RETURNS ticket_history
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN without_internal AND (h.comment -> 'internal')::boolean THEN ROW(
            h.ticket_id, h.entry, h.version, h.at, 'changed', NULL, h.request_id, h.changes, h.triage, NULL
        )::ticket_history
        ELSE h
    END;
