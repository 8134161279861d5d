-- Stores the stems of the tickets that the next 2,000 events are about, and returns how many events there were.
-- Retry: safe
-- Cost: high
SELECT ticket_stems_follow(2000)
