-- Deletes a comment, which is a change of its ticket. One row: the version of the ticket, whether there is such a comment,
-- whether the preconditions ($3, $4) are met, and whether the comment was deleted. No row: there is no such ticket.
-- The ticket is locked first, as by all other writers. Contract with the trigger ticket_history_changed: see create.sql.
-- Position: after
-- $1 ticket_id
-- $2 id
-- $3 only: only with one of these versions of the ticket the comment is deleted; NULL means any
-- $4 never: with none of these versions it is deleted; NULL means all
-- $5 visible: whether internal comments may be deleted, and whether others may, as values of `internal`
-- $6 editor: who deletes it: the request id, a space, the name of the API key
WITH locked AS MATERIALIZED (
    SELECT t.version,
        (
            ($3::integer[] IS NULL OR t.version = ANY ($3::integer[])) AND t.version <> ALL ($4::integer[])
        ) IS TRUE AS has_matched
    FROM tickets AS t
    WHERE t.id = $1::uuid
    FOR NO KEY UPDATE
),
deleted AS (
    DELETE FROM comments AS c
    USING locked
    WHERE locked.has_matched AND c.id = $2::uuid AND c.ticket_id = $1::uuid AND c.internal = ANY ($5::boolean[])
    RETURNING c.id, c.author, c.internal
),
changed AS (
    UPDATE tickets AS t
    SET version = t.version + 1, updated_at = greatest(now(), t.updated_at)
    FROM deleted
    WHERE t.id = $1::uuid
    RETURNING
        note_change('ticketsvc.author', $6::text, t.id),
        note_change(
            'ticketsvc.comment',
            comment_note('comment_deleted', t.id, t.version, deleted.id, deleted.author, deleted.internal),
            t.id
        )
)
SELECT
    locked.version,
    EXISTS (
        SELECT FROM comments AS c
        WHERE c.id = $2::uuid AND c.ticket_id = $1::uuid AND c.internal = ANY ($5::boolean[])
    ) AS exists,
    locked.has_matched,
    EXISTS (SELECT FROM changed) AS was_deleted
FROM locked
