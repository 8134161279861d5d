-- Merges at most 10,000 deltas into the counters, if there are 256: merging costs much the same for one or for hundreds, and
-- queries add those that are left. Returns one row if it did.
-- Retry: safe
SELECT apply_count_deltas(10000)
WHERE (SELECT count(*) FROM (SELECT FROM ticket_count_deltas LIMIT 256) AS waiting) = 256
