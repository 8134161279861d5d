-- Returns the next tickets by id, with the text of those that never had a suggestion (NULL for the others).
-- Retry: safe
-- $1 after_id: the id of the last ticket of the previous batch
-- $2 limit: the number of tickets
-- $3 characters: the maximum length of a text
SELECT t.id, t.version, CASE WHEN t.suggested_by IS NULL THEN left(t.title || E'\n' || t.description, $3::integer) END
FROM tickets AS t
WHERE t.id > $1::uuid
ORDER BY t.id
LIMIT $2::integer
