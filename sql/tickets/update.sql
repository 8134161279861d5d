-- Changes a ticket and answers it as it then is. No row: there is no such ticket.
-- The last column says whether the caller's precondition held; where it did not, nothing was changed.
-- A change that changes nothing leaves version and updated_at alone. Where the UPDATE found nothing to do, the row
-- is locked and read again, so that a writer who lost a race is told of the winner's row.
-- $1 id
-- $2 versions: the change is made only to one of these versions; NULL: to any
-- $3 title: NULL in this and the following: keep
-- $4 description
-- $5 category
-- $6 priority
-- $7 status
WITH changed AS (
    UPDATE tickets AS t
    SET title = coalesce($3::text, t.title),
        description = coalesce($4::text, t.description),
        category = coalesce($5::ticket_category, t.category),
        priority = coalesce($6::ticket_priority, t.priority),
        status = coalesce($7::ticket_status, t.status),
        version = t.version + 1,
        updated_at = greatest(now(), t.updated_at)
    WHERE t.id = $1::uuid
        AND ($2::integer[] IS NULL OR t.version = ANY ($2::integer[]))
        AND (
            t.title <> $3::text
            OR t.description <> $4::text
            OR t.category <> $5::ticket_category
            OR t.priority <> $6::ticket_priority
            OR t.status <> $7::ticket_status
        )
    RETURNING ticket_json(t) AS ticket, t.version
),
unchanged AS (
    SELECT
        ticket_json(t) AS ticket,
        t.version,
        $2::integer[] IS NULL OR t.version = ANY ($2::integer[]) AS matched
    FROM tickets AS t
    WHERE t.id = $1::uuid AND NOT EXISTS (SELECT FROM changed)
    FOR UPDATE
)
SELECT ticket, version, true AS matched FROM changed
UNION ALL
SELECT ticket, version, matched FROM unchanged
