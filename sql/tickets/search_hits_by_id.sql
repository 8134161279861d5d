-- Returns the matches among all comments and, if the search is in both, all texts of tickets, newest first, at most a page.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 after_id: the id of the last ticket scanned
SELECT /* include: ticket_or_size */ t, t.id, NULL
FROM /* include: text_matches_comments */ tickets AS x (id)
JOIN tickets AS t ON t.id = x.id
WHERE t.id /* oldest: > */ < $2::uuid
    AND /* include: filters */ true
ORDER BY t.id /* oldest: ASC */ DESC
LIMIT $1::integer
