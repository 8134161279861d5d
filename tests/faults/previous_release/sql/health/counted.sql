-- Whether the counters have any number below zero, which no tickets make, and how many changes wait to be folded.
SELECT
    EXISTS (
        SELECT 1
        FROM counted_tickets(NULL, NULL)
        GROUP BY category, priority, status
        HAVING sum(tickets) < 0
    ),
    (SELECT count(*) FROM ticket_changes)
