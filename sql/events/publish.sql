-- Numbers the events of all transactions that have committed, at most 10,000; returns how many there were. The next
-- statement of a reader sees them.
-- Retry: safe
SELECT publish_events(10000)
