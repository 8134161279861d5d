-- Returns the matches among all comments and, if the search is in both, all texts of tickets, last changed first or, as
-- `urgent`, most urgent first, then newest first, at most a page.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 after_id: the id of the last ticket scanned
-- $3 after_key: its updated_at; for urgent: its priority
SELECT /* include: ticket_or_size */ t, t.id, /* urgent: t.priority */ t.updated_at AS key
FROM /* include: text_matches_comments */ tickets AS x (id)
JOIN tickets AS t ON t.id = x.id
WHERE (/* urgent: t.priority */ t.updated_at, t.id) < (/* urgent: $3::ticket_priority */ $3::timestamptz, $2::uuid)
    AND /* include: filters */ true
ORDER BY key DESC, t.id DESC
LIMIT $1::integer
