-- How many tickets there are of each status, from the counters.
SELECT status, sum(tickets)
FROM counted_tickets(NULL, NULL)
GROUP BY status
