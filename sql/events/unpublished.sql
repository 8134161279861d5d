-- Returns how many seconds ago the transaction of the oldest event began that has committed and is not published; 0 if there
-- is none.
-- Retry: safe
SELECT coalesce(extract(epoch FROM clock_timestamp() - min(o.at)), 0)::float8 FROM event_outbox AS o
