-- Returns those of the named extensions that are not installed here, and whether this server has their files.
-- Retry: safe
-- $1 names: the extensions
SELECT wanted.name, available.name IS NOT NULL
FROM unnest($1::text[]) AS wanted (name)
LEFT JOIN pg_available_extensions AS available USING (name)
WHERE available.installed_version IS NULL
