-- Returns the migrations that this release needs and the database lacks, and whether this role may change tickets.
-- A server that is read-only at the moment, such as a standby, is ready: it serves reads.
-- Retry: safe
-- $1 expected: names of migrations
SELECT
    (
        SELECT coalesce(json_agg(wanted.name ORDER BY wanted.name), '[]')
        FROM unnest($1::text[]) AS wanted (name)
        WHERE wanted.name NOT IN (SELECT migration_id FROM _yoyo_migration)
    ),
    coalesce(/* include: may_write */ true, false)
