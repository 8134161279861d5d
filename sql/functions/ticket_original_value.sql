-- Returns the value of a ticket's field before its first change, which is its present value unless it was changed.
CREATE OR REPLACE FUNCTION ticket_original_value(ticket uuid, field text, present text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT state.value
    FROM (
        SELECT h.entry, h.changes -> field ->> 'from'
        FROM ticket_history AS h
        WHERE h.ticket_id = ticket AND h.changes ? field
        UNION ALL
        SELECT NULL, present
    ) AS state (entry, value)
    ORDER BY state.entry
    LIMIT 1;
END;
