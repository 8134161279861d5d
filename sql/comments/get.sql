-- Returns a comment of a ticket.
-- Retry: safe
-- $1 ticket_id
-- $2 id
-- $3 visible: whether internal comments are visible, and whether others are
SELECT comment_json(c)
FROM comments AS c
WHERE c.id = $2::uuid AND c.ticket_id = $1::uuid AND c.internal = ANY ($3::boolean[])
