-- Returns the entry of the history that an event refers to. That of a creation is derived from the ticket, unless the ticket
-- has been deleted. One that was restored by hand has one from its first life, too, without texts.
-- depends: ticket_created
CREATE OR REPLACE FUNCTION event_entry(e events) RETURNS SETOF ticket_history
    LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT created.*
    FROM tickets AS t
    CROSS JOIN LATERAL ticket_created(t) AS created
    WHERE e.entry = 0 AND t.id = e.ticket_id
    UNION ALL
    SELECT h.* FROM ticket_history AS h WHERE h.ticket_id = e.ticket_id AND h.entry = e.entry
    LIMIT 1;
END;
