-- Changes a ticket and returns it. No row: there is no such ticket.
-- The outcome is `changed`, or `unmet` if the preconditions ($2, $9) rule the ticket out: then nothing was changed.
-- The trigger tickets_advance gives a change its version and time, and leaves them alone if nothing changes. The row is written
-- all the same: only of a locked row can one say that there is nothing to change, and UPDATE reads a row again that it had to
-- wait for.
-- A field that may be NULL takes two parameters, has_<field> and <field>, so that it can be cleared.
-- Contract with the trigger ticket_history_changed: it reads who made the change from the setting ticketsvc.author,
-- which is local to the transaction. RETURNING sets it here, because it runs before AFTER triggers do.
-- Position: after
-- $1 id
-- $2 only: the change is made only to one of these versions; NULL means any
-- $3 title: NULL in this and the following means no change
-- $4 description
-- $5 category
-- $6 priority
-- $7 status
-- $8 author: who makes the change: the request id, a space, the name of the API key
-- $9 never: the change is made to none of these versions; NULL means all
-- $10 has_requester: whether the requester is set or cleared
-- $11 requester
-- $12 has_assignee
-- $13 assignee
-- $14 has_tags
-- $15 tags: sorted, each once; NULL means none
-- $16 has_metadata
-- $17 metadata: a merge patch; NULL removes all
-- $18 has_duplicate_of
-- $19 duplicate_of: the trigger tickets_duplicate closes the ticket, too
WITH changed AS (
    UPDATE tickets AS t
    SET title = coalesce($3::text, t.title),
        description = coalesce($4::text, t.description),
        category = coalesce($5::ticket_category, t.category),
        priority = coalesce($6::ticket_priority, t.priority),
        status = coalesce($7::ticket_status, t.status),
        requester = CASE WHEN $10::boolean THEN $11::text ELSE t.requester END,
        assignee = CASE WHEN $12::boolean THEN $13::text ELSE t.assignee END,
        tags = CASE WHEN $14::boolean THEN $15::text[] ELSE t.tags END,
        metadata = CASE WHEN $16::boolean THEN metadata_merge(t.metadata, $17::jsonb) ELSE t.metadata END,
        duplicate_of = CASE WHEN $18::boolean THEN $19::uuid ELSE t.duplicate_of END
    WHERE t.id = $1::uuid
        AND ($2::integer[] IS NULL OR t.version = ANY ($2::integer[]))
        AND t.version <> ALL ($9::integer[])
    RETURNING ticket_json(t) AS ticket, t.version, note_change('ticketsvc.author', $8::text, t.id)
),
kept AS (
    SELECT t.version
    FROM tickets AS t
    WHERE t.id = $1::uuid AND NOT EXISTS (SELECT FROM changed)
    FOR UPDATE
)
SELECT 'changed' AS outcome, ticket, version FROM changed
UNION ALL
SELECT 'unmet', NULL, version FROM kept
