-- Deletes a ticket. One row, which says whether it was deleted; none: there is no such ticket. A ticket that is kept
-- has a version that the caller did not name.
-- $1 id
-- $2 versions: only one of these versions is deleted; NULL: any
-- $3 author: who deletes it, for the history (the trigger ticket_history_deleted)
WITH deleted AS (
    DELETE FROM tickets AS t
    WHERE t.id = $1::uuid
        AND ($2::integer[] IS NULL OR t.version = ANY ($2::integer[]))
    RETURNING t.version, set_config('ticketsvc.author', $3::text, true)
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
