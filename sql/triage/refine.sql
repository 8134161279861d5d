-- Replaces the suggested labels of a ticket by those of a better classifier, if nobody has touched the ticket. They stay
-- suggestions: the ticket becomes no training example. A label that the client gave stays. No row if the ticket has changed.
-- $1 id
-- $2 category
-- $3 category_confidence: from 0 to 1
-- $4 priority
-- $5 priority_confidence: from 0 to 1
-- $6 suggested_by: the name of the classifier
-- $7 author: as in tickets/update.sql
WITH refined AS (
    UPDATE tickets AS t
    SET category = CASE WHEN t.suggested_category IS NULL THEN t.category ELSE $2::ticket_category END,
        suggested_category = CASE WHEN t.suggested_category IS NOT NULL THEN $2::ticket_category END,
        category_confidence = CASE WHEN t.suggested_category IS NOT NULL THEN $3::real END,
        priority = CASE WHEN t.suggested_priority IS NULL THEN t.priority ELSE $4::ticket_priority END,
        suggested_priority = CASE WHEN t.suggested_priority IS NOT NULL THEN $4::ticket_priority END,
        priority_confidence = CASE WHEN t.suggested_priority IS NOT NULL THEN $5::real END,
        suggested_by = $6::text
    WHERE t.id = $1::uuid AND /* include: untouched */ true
    RETURNING t.id, note_change('ticketsvc.author', $7::text, t.id)
)
SELECT refined.id FROM refined
