-- Opens a generation: ids of events behind the newest one of the database are gone from now on. Returns the id of that one.
-- Retry: safe
SELECT event_id(newest.seq) AS id
FROM (SELECT coalesce(max(e.seq), 0) AS seq FROM events AS e) AS newest
CROSS JOIN LATERAL event_generation_open(newest.seq) AS opened
