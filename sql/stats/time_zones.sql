-- Returns the names of the IANA time zones that Postgres knows, except those that are also an abbreviation: Postgres
-- reads CET as one hour ahead of UTC, without summer time. UTC and GMT are safe. Left out are also names of no place
-- (posix/, localtime).
-- Retry: safe
SELECT name
FROM pg_timezone_names
WHERE name IN ('UTC', 'GMT')
    OR upper(name) NOT IN (SELECT abbrev FROM pg_timezone_abbrevs)
    AND name !~ '^(posix|right)/'
    AND name NOT IN ('Factory', 'localtime', 'posixrules')
