-- Deletes a ticket. One row, which says whether it was deleted; no row when there is no such ticket. A ticket that is
-- kept has a version that the preconditions ($2, $4) rule out.
-- Contract with the trigger ticket_history_deleted: it reads who deletes the ticket from the setting ticketsvc.author,
-- which is local to the transaction. RETURNING sets it here, because it runs before AFTER triggers do.
-- Position: after
-- $1 id
-- $2 only: only one of these versions is deleted; NULL means any
-- $3 author: who deletes it: the request id, a space, the name of the API key
-- $4 never: none of these versions is deleted; NULL means all
WITH deleted AS (
    DELETE FROM tickets AS t
    WHERE t.id = $1::uuid
        AND ($2::integer[] IS NULL OR t.version = ANY ($2::integer[]))
        AND t.version <> ALL ($4::integer[])
    RETURNING t.version, note_change('ticketsvc.author', $3::text, t.id)
),
kept AS (
    SELECT t.version
    FROM tickets AS t
    WHERE t.id = $1::uuid AND NOT EXISTS (SELECT FROM deleted)
    FOR UPDATE
)
SELECT true AS was_deleted, version FROM deleted
UNION ALL
SELECT false, version FROM kept
