-- Counts a call of a subject in its window, which starts with its first call: the calls so far with this one, and the
-- seconds until the window ends.
-- $1 subject
-- $2 window: in seconds
INSERT INTO rate_limits AS r (subject, ends, used)
VALUES ($1::text, now() + make_interval(secs => $2::integer), 1)
ON CONFLICT (subject) DO UPDATE
SET used = CASE WHEN r.ends > now() THEN r.used + 1 ELSE 1 END,
    ends = CASE WHEN r.ends > now() THEN r.ends ELSE excluded.ends END
RETURNING used, ceil(extract(epoch FROM ends - now()))::integer AS seconds
