-- Returns the settings whose values in this session are others than wanted.
-- Retry: safe
-- $1 names
-- $2 values: in the form of pg_settings (times in milliseconds, sizes in kB)
SELECT wanted.name
FROM unnest($1::text[], $2::text[]) AS wanted (name, value)
WHERE NOT EXISTS (
    SELECT FROM pg_settings AS s WHERE s.name = wanted.name AND replace(s.setting, '"', '') = wanted.value
)
