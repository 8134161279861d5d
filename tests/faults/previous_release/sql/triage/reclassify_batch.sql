-- The next tickets by id; of those for which nothing was ever suggested also the text, of the others NULL.
-- $1 after_id: the id of the last ticket looked at
-- $2 limit: how many tickets are looked at
-- $3 characters: the text is cut off there
SELECT t.id, t.version, CASE WHEN t.suggested_by IS NULL THEN left(t.title || E'\n' || t.description, $3::integer) END
FROM tickets AS t
WHERE t.id > $1::uuid
ORDER BY t.id
LIMIT $2::integer
