-- Returns the type of an event, as clients see it.
CREATE OR REPLACE FUNCTION event_type(event history_event) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN 'ticket.' || CASE event
        WHEN 'changed' THEN 'updated'
        WHEN 'comment_deleted' THEN 'updated'
        ELSE event::text
    END;
