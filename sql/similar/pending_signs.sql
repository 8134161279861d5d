-- Returns the newest tickets whose texts are to be encoded, at most 100.
-- Retry: safe
SELECT t.id, t.version, t.title, t.description
FROM ticket_signs AS s
JOIN tickets AS t USING (id)
WHERE s.signs IS NULL
ORDER BY s.id DESC
LIMIT 100
