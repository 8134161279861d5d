-- Returns the entry of the history of a ticket with a number, as an event refers to it. That of a creation is derived from the
-- ticket, unless the ticket has been deleted. One that was restored by hand has one from its first life, too, without texts.
-- depends: ticket_created
CREATE OR REPLACE FUNCTION event_entry(of_ticket uuid, entry_number bigint) RETURNS SETOF ticket_history
    LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT created.*
    FROM tickets AS t
    CROSS JOIN LATERAL ticket_created(t) AS created
    WHERE entry_number = 0 AND t.id = of_ticket
    UNION ALL
    SELECT h.* FROM ticket_history AS h WHERE h.ticket_id = of_ticket AND h.entry = entry_number
    LIMIT 1;
END;
