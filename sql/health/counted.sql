-- Returns whether a counter is negative, which no tickets explain, and the number of deltas that are not merged yet.
-- Retry: safe
SELECT
    EXISTS (
        SELECT 1
        FROM counted_tickets(NULL, NULL)
        GROUP BY category, priority, status
        HAVING sum(tickets) < 0
    ),
    (SELECT count(*) FROM ticket_count_deltas)
