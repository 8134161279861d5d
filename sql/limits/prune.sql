-- Deletes windows that have ended.
DELETE FROM rate_limits AS r
WHERE r.ends < now() - '1 minute'::interval
