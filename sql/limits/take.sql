-- Counts a request in the window of its subject, which starts with the first request. Returns the number of requests so
-- far, this one included, and the seconds until the window ends.
-- A window that began less than its length ago goes on.
-- $1 subject
-- $2 window: in seconds
INSERT INTO rate_limits AS r (subject, ends, used)
VALUES ($1::text, now() + make_interval(secs => $2::integer), 1)
ON CONFLICT (subject) DO UPDATE
SET used = CASE WHEN extract(epoch FROM excluded.ends - r.ends) < $2::integer THEN r.used + 1 ELSE 1 END,
    ends = CASE WHEN extract(epoch FROM excluded.ends - r.ends) < $2::integer THEN r.ends ELSE excluded.ends END
RETURNING used, seconds_until(ends) AS seconds
