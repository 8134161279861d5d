-- Recomputes all counters from the tickets. Other writes continue meanwhile.
-- Retry: safe
SELECT recount_tickets()
