-- The statistics of all tickets, in one snapshot, from the counters. The ends of the primary key are the oldest and
-- the newest ticket.
SELECT headline_json(
    sum(tickets),
    sum(tickets) FILTER (WHERE status = 'open'),
    (SELECT created_at FROM tickets ORDER BY id LIMIT 1),
    (SELECT created_at FROM tickets ORDER BY id DESC LIMIT 1),
    sum(tickets) FILTER (WHERE priority = 'low'),
    sum(tickets) FILTER (WHERE priority = 'medium'),
    sum(tickets) FILTER (WHERE priority = 'high'),
    sum(tickets) FILTER (WHERE priority = 'critical'),
    sum(tickets) FILTER (WHERE category = 'billing'),
    sum(tickets) FILTER (WHERE category = 'technical'),
    sum(tickets) FILTER (WHERE category = 'account'),
    sum(tickets) FILTER (WHERE category = 'general')
)
FROM counted_tickets(NULL, NULL)
