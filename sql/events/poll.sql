-- Publishes like publish.sql. Returns how many events that were, and the id of the newest one before them: who has that one
-- and finds that nothing was published is up to date.
-- Retry: safe
SELECT publish_events(10000) AS published, event_id(coalesce((SELECT max(e.seq) FROM events AS e), 0)) AS latest
