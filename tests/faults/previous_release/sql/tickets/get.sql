-- One ticket.
-- $1 id
SELECT ticket_json(t), t.version
FROM tickets AS t
WHERE t.id = $1::uuid
