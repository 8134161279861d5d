-- Stores the signs of tickets. One that has changed since it was read is left for the next time, and one that is being changed: the
-- lock makes each change wait, so that it is followed after this. A text that has none is not looked at again.
-- Retry: safe
-- $1 ids
-- $2 versions: those whose texts were encoded
-- $3 signs: in hexadecimal, or NULL
WITH unchanged AS MATERIALIZED (
    SELECT t.id, given.signs::bit(512) AS signs
    FROM unnest($1::uuid[], $2::integer[], $3::text[]) AS given (id, version, signs)
    JOIN tickets AS t USING (id)
    WHERE t.version = given.version
    FOR SHARE OF t SKIP LOCKED
),
without AS (
    DELETE FROM ticket_signs AS s USING unchanged AS u WHERE s.id = u.id AND u.signs IS NULL
)
UPDATE ticket_signs AS s SET signs = u.signs FROM unchanged AS u WHERE s.id = u.id AND s.signs IS NULL AND u.signs IS NOT NULL
