-- Returns a page of all tickets created within a window, newest first, along the primary key.
-- Retry: safe
-- $1 limit
-- $2 after_id: the id of the last ticket of the previous page
SELECT /* include: ticket_or_size */ t, t.id, NULL
FROM tickets AS t
WHERE t.id /* oldest: > */ < $2::uuid
    AND /* include: created */ true
ORDER BY t.id /* oldest: ASC */ DESC
LIMIT $1::integer
