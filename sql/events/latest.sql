-- Returns the id of the newest event, which is the cursor from which only later events are read.
-- Retry: safe
-- Position: after
SELECT event_id(coalesce((SELECT max(e.seq) FROM events AS e), 0))
