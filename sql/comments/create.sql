-- Adds a comment to a ticket, which is a change of the ticket, and returns it. No row: there is no such ticket. Without a
-- comment in it, the row has the version of the ticket, which the preconditions ($2, $3) rule out; nothing was changed.
-- Contract with the trigger ticket_history_changed: it reads who made the change from the setting ticketsvc.author, and
-- from ticketsvc.comment that it is a comment. Both are local to the transaction. RETURNING sets them here, because it
-- runs before AFTER triggers do.
-- Position: after
-- $1 ticket_id
-- $2 only: only one of these versions of the ticket is commented on; NULL means any
-- $3 never: none of these versions is commented on; NULL means all
-- $4 body: already trimmed
-- $5 author
-- $6 internal
-- $7 status: the new status of the ticket; NULL means no change
-- $8 editor: who makes the change: the request id, a space, the name of the API key
WITH changed AS (
    UPDATE tickets AS t
    SET status = coalesce($7::ticket_status, t.status),
        version = t.version + 1,
        updated_at = greatest(now(), t.updated_at),
        first_response_at = /* include: first_response */ NULL
    FROM (SELECT uuid_v7(now()) AS id, now() AS at OFFSET 0) AS comment
    WHERE t.id = $1::uuid
        AND ($2::integer[] IS NULL OR t.version = ANY ($2::integer[]))
        AND t.version <> ALL ($3::integer[])
    RETURNING t.version, t.updated_at, comment.id,
        note_change('ticketsvc.author', $8::text, t.id),
        note_change(
            'ticketsvc.comment', comment_note('commented', t.id, t.version, comment.id, $5::text, $6::boolean), t.id
        )
),
added AS (
    INSERT INTO comments AS c (ticket_id, version, id, created_at, author, internal, body, search_text)
    SELECT $1::uuid, version, id, updated_at, $5::text, $6::boolean, $4::text, comment_text($4::text)
    FROM changed
    RETURNING comment_json(c) AS json, c.id, c.version
),
kept AS (
    SELECT t.version
    FROM tickets AS t
    WHERE t.id = $1::uuid AND NOT EXISTS (SELECT FROM changed)
    FOR UPDATE
)
SELECT json, id, version FROM added
UNION ALL
SELECT NULL, NULL, version FROM kept
