-- Deletes tickets of a requester, and the responses that repeat them. Returns their number. Triggers delete the comments and
-- the texts in the history, and subtract the training examples at the end. The tickets are locked in the order of their ids;
-- both as in tickets/update_matching.sql. One that has another requester by then is kept.
-- Retry: safe
-- Cost: high
-- $1 requester: in any letter case
-- $2 limit: the maximum number of tickets
WITH batch AS MATERIALIZED (
    SELECT t.id
    FROM tickets AS t
    WHERE t.id = ANY (ARRAY(
            SELECT a.id FROM ticket_attributes AS a WHERE a.attribute = 'requester ' || search_fold($1::text) LIMIT $2::integer
        ))
        AND search_fold(t.requester) = search_fold($1::text)
    ORDER BY t.id
    FOR UPDATE
),
deleted AS (
    DELETE FROM tickets AS t USING batch WHERE t.id = batch.id RETURNING t.id, note_change('ticketsvc.learning', 'deferred', t.id)
),
records AS (
    DELETE FROM idempotency_records AS k WHERE k.ticket_id IN (SELECT deleted.id FROM deleted)
)
SELECT count(*) FROM deleted
