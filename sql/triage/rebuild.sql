-- Recomputes all counts from all tickets, those from before a reset included. Returns the number of different texts.
-- Retry: safe
SELECT triage_retrain('-infinity')
