-- Stores what would have been suggested for a ticket that has its labels already: these, its version and updated_at stay.
-- The ticket may teach by that. No row: it was changed since it was read, has a suggestion meanwhile, or is gone.
-- One ticket a statement takes its locks in the order in which any change of a ticket does. That it is on disk need not
-- be waited for: what a crash takes away is suggested again by the next run.
-- $1 id
-- $2 version: as it was read
-- $3 category
-- $4 category_confidence: from 0 to 1
-- $5 priority
-- $6 priority_confidence: from 0 to 1
WITH unhurried AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS setting
)
UPDATE tickets AS t
SET suggested_category = $3::ticket_category,
    category_confidence = $4::real,
    suggested_priority = $5::ticket_priority,
    priority_confidence = $6::real,
    suggested_by = 'reclassify'
FROM unhurried
WHERE t.id = $1::uuid AND t.version = $2::integer AND t.suggested_by IS NULL AND unhurried.setting IS NOT NULL
RETURNING t.id
