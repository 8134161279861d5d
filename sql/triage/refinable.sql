-- Returns the next tickets by id, of those created lately, that may be refined, with the labels that were suggested.
-- Retry: safe
-- $1 after_id: the id of the last ticket of the previous batch; the zero UUID for the first
-- $2 oldest: the age of the oldest one in seconds
-- $3 newest: that of the newest one; one with a smaller id may commit until then
-- $4 limit: the number of tickets
SELECT t.id, t.title || E'\n' || t.description, t.suggested_category::text, t.suggested_priority::text
FROM tickets AS t
WHERE t.id > $1::uuid
    AND t.id >= uuid_v7_floor(now() - $2::integer * interval '1 second')
    AND t.id < uuid_v7_floor(now() - $3::integer * interval '1 second')
    AND /* include: untouched */ true
ORDER BY t.id
LIMIT $4::integer
