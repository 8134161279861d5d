-- Returns whether a counter is below zero, which no tickets can cause, and the number of deltas not applied yet.
SELECT
    EXISTS (
        SELECT 1
        FROM counted_tickets(NULL, NULL)
        GROUP BY category, priority, status
        HAVING sum(tickets) < 0
    ),
    (SELECT count(*) FROM ticket_count_deltas)
