-- Changes a ticket and returns it. No row: there is no such ticket.
-- The last column says whether the precondition ($2) was met; when it was not, nothing was changed.
-- Fields that are not in $3 keep their values; null clears a field that may be NULL.
-- A change that changes nothing leaves version and updated_at alone. The row is written all the same: only of a locked row
-- can one say that there is nothing to change, and UPDATE reads a row again that it had to wait for.
-- Contract with the trigger ticket_history_changed: it reads who made the change from the setting ticketsvc.author, which is
-- local to the transaction. RETURNING sets it here, because it runs before AFTER triggers do.
-- $1 id
-- $2 versions: the change is made only to one of these versions; NULL means any
-- $3 changes: the changed fields and their new values, as a JSON object
-- $4 author: who makes the change: the request id, a space, the name of the API key
WITH changed AS (
    UPDATE tickets AS t
    SET (title, description, category, priority, status, version, updated_at) = (
        SELECT n.title, n.description, n.category, n.priority, n.status,
            CASE WHEN n IS DISTINCT FROM t THEN t.version + 1 ELSE t.version END,
            CASE WHEN n IS DISTINCT FROM t THEN greatest(now(), t.updated_at) ELSE t.updated_at END
        FROM jsonb_populate_record(t, $3::jsonb) AS n
    )
    WHERE t.id = $1::uuid
        AND ($2::integer[] IS NULL OR t.version = ANY ($2::integer[]))
    RETURNING ticket_json(t) AS ticket, t.version, set_config('ticketsvc.author', $4::text, true)
),
kept AS (
    SELECT t.version
    FROM tickets AS t
    WHERE t.id = $1::uuid AND NOT EXISTS (SELECT FROM changed)
    FOR UPDATE
)
SELECT ticket, version, true AS matched FROM changed
UNION ALL
SELECT NULL, version, false FROM kept
