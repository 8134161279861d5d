-- The migrations that this release needs and the database lacks.
-- $1 expected: names of migrations
SELECT expected
FROM unnest($1::text[]) AS expected
WHERE expected NOT IN (SELECT migration_id FROM _yoyo_migration)
