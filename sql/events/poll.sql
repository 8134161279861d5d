-- Publishes like publish.sql. Returns the number of events that it published, and the id of the newest one before them:
-- with that and none published, a reader is up to date.
-- Retry: safe
SELECT publish_events(10000) AS published, event_id(coalesce((SELECT max(e.seq) FROM events AS e), 0)) AS latest
