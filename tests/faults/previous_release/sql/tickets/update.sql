-- Changes a ticket and answers it as it then is. No row: there is no such ticket.
-- The last column says whether the caller's precondition held; where it did not, nothing was changed.
-- A change that changes nothing leaves version and updated_at alone. It is written like any other: that there is
-- nothing to change can only be said of a row that is locked, and UPDATE looks again at a row it had to wait for.
-- $1 id
-- $2 versions: the change is made only to one of these versions; NULL: to any
-- $3 title: NULL in this and the following: keep
-- $4 description
-- $5 category
-- $6 priority
-- $7 status
-- $8 author: who makes the change, for the history (the trigger ticket_history_changed)
WITH changed AS (
    UPDATE tickets AS t
    SET title = coalesce($3::text, t.title),
        description = coalesce($4::text, t.description),
        category = coalesce($5::ticket_category, t.category),
        priority = coalesce($6::ticket_priority, t.priority),
        status = coalesce($7::ticket_status, t.status),
        (version, updated_at) = (
            SELECT
                CASE WHEN differs THEN t.version + 1 ELSE t.version END,
                CASE WHEN differs THEN greatest(now(), t.updated_at) ELSE t.updated_at END
            FROM (
                SELECT t.title <> $3::text
                    OR t.description <> $4::text
                    OR t.category <> $5::ticket_category
                    OR t.priority <> $6::ticket_priority
                    OR t.status <> $7::ticket_status AS differs
            ) AS change
        )
    WHERE t.id = $1::uuid
        AND ($2::integer[] IS NULL OR t.version = ANY ($2::integer[]))
    RETURNING ticket_json(t) AS ticket, t.version, set_config('ticketsvc.author', $8::text, true)
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
