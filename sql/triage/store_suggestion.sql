-- Stores the suggestion for a ticket that was created without one, which may make it a training example. Its labels,
-- version and updated_at stay. No row when the ticket has changed since it was read, has a suggestion by now, or is
-- deleted. One ticket a statement, so that locks are taken in the same order as by any change of a ticket. The commit
-- does not wait for the disk: the next run repeats what a crash loses.
-- $1 id
-- $2 version: as it was read
-- $3 category
-- $4 category_confidence: from 0 to 1
-- $5 priority
-- $6 priority_confidence: from 0 to 1
WITH asynchronous AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS setting
)
UPDATE tickets AS t
SET suggested_category = $3::ticket_category,
    category_confidence = $4::real,
    suggested_priority = $5::ticket_priority,
    priority_confidence = $6::real,
    suggested_by = 'reclassify'
FROM asynchronous
WHERE t.id = $1::uuid AND t.version = $2::integer AND t.suggested_by IS NULL AND asynchronous.setting IS NOT NULL
RETURNING t.id
