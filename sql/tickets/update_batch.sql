-- Changes several tickets and returns a row for each element, in their order, as update.sql does for one. An id occurs once.
-- The outcome is `changed` with the ticket and its version, `unmet` with the version of a ticket that does not meet the
-- preconditions, `missing` if there is no such ticket, or `locked` if another transaction has locked it: the statement waits
-- for none.
-- The rows are locked first, in the order of their ids, and all before any trigger runs.
-- Contract with the triggers ticket_history_changed and triage_learn_changed: they read who made each change from the setting
-- ticketsvc.authors (ticket_author()).
-- Every parameter but authors is an array with an element for each change; their meanings are those of update.sql.
-- Position: after
-- $1 id
-- $2 only: the texts of arrays
-- $3 title
-- $4 description
-- $5 category
-- $6 priority
-- $7 status
-- $8 authors: an object with the author of each change by its id
-- $9 never: the texts of arrays
-- $10 has_requester
-- $11 requester
-- $12 has_assignee
-- $13 assignee
-- $14 has_tags
-- $15 tags: the texts of arrays
-- $16 has_metadata
-- $17 metadata
-- $18 has_duplicate_of
-- $19 duplicate_of
WITH input AS MATERIALIZED (
    SELECT u.*, u.only_versions::integer[] AS only_array, u.never_versions::integer[] AS never_array, u.tags::text[] AS tag_array
    FROM unnest(
        $1::uuid[], $2::text[], $3::text[], $4::text[],
        $5::ticket_category[], $6::ticket_priority[], $7::ticket_status[], $9::text[],
        $10::boolean[], $11::text[], $12::boolean[], $13::text[], $14::boolean[], $15::text[], $16::boolean[], $17::jsonb[],
        $18::boolean[], $19::uuid[]
    ) WITH ORDINALITY AS u (
        id, only_versions, title, description, category, priority, status, never_versions,
        has_requester, requester, has_assignee, assignee, has_tags, tags, has_metadata, metadata,
        has_duplicate_of, duplicate_of, place
    )
),
locked AS MATERIALIZED (
    SELECT t.id, t.version
    FROM tickets AS t
    WHERE t.id = ANY ($1::uuid[])
    ORDER BY t.id
    FOR NO KEY UPDATE SKIP LOCKED
),
changed AS (
    UPDATE tickets AS t
    SET title = coalesce(e.title, t.title),
        description = coalesce(e.description, t.description),
        category = coalesce(e.category, t.category),
        priority = coalesce(e.priority, t.priority),
        status = coalesce(e.status, t.status),
        requester = CASE WHEN e.has_requester THEN e.requester ELSE t.requester END,
        assignee = CASE WHEN e.has_assignee THEN e.assignee ELSE t.assignee END,
        tags = CASE WHEN e.has_tags THEN e.tag_array ELSE t.tags END,
        metadata = CASE WHEN e.has_metadata THEN metadata_merge(t.metadata, e.metadata) ELSE t.metadata END,
        duplicate_of = CASE WHEN e.has_duplicate_of THEN e.duplicate_of ELSE t.duplicate_of END
    FROM input AS e
    JOIN locked USING (id)
    CROSS JOIN (
        SELECT /* include: short_lock_timeout */ true
    ) AS settings
    WHERE t.id = locked.id
        AND (e.only_versions IS NULL OR locked.version = ANY (e.only_array))
        AND locked.version <> ALL (e.never_array)
    RETURNING e.place, ticket_json(t) AS ticket, t.version, note_change('ticketsvc.authors', $8::text, t.id)
)
SELECT
    CASE
        WHEN changed.place IS NOT NULL THEN 'changed'
        WHEN locked.id IS NOT NULL THEN 'unmet'
        WHEN EXISTS (SELECT FROM tickets AS t WHERE t.id = e.id) THEN 'locked'
        ELSE 'missing'
    END AS outcome,
    changed.ticket,
    coalesce(changed.version, locked.version)
FROM input AS e
LEFT JOIN locked USING (id)
LEFT JOIN changed USING (place)
ORDER BY e.place
