-- Returns the number of tickets of each status that occurs, from the counters.
-- Retry: safe
SELECT status, sum(tickets)
FROM counted_tickets(NULL, NULL)
GROUP BY status
