-- Returns whether a process has taken over the background work of all others.
-- Retry: safe
SELECT background_work_is_taken()
