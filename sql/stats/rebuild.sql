-- Counts all tickets anew, while others go on writing.
-- Retry: safe
SELECT recount_tickets()
