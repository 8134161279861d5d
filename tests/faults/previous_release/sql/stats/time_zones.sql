-- The names of the IANA time zones that Postgres knows. Not those, but for UTC and GMT, that are an abbreviation too: Postgres would
-- take CET for an hour more than UTC, without its summer time. Nor any that is no place's: posix/, localtime.
SELECT name
FROM pg_timezone_names
WHERE name IN ('UTC', 'GMT')
    OR upper(name) NOT IN (SELECT abbrev FROM pg_timezone_abbrevs)
    AND name !~ '^(posix|right)/'
    AND name NOT IN ('Factory', 'localtime', 'posixrules')
