-- Counts the lessons of all tickets again, also of those from before a reset. Answers how many different texts teach.
-- Retry: safe
SELECT triage_retrain('-infinity')
