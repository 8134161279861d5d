DROP TRIGGER tickets_resolve ON tickets;
DROP FUNCTION times_json, day_json, headline_json, breakdowns_json, counted_tickets, last_midnight, first_midnight, recount_tickets,
    count_none, count_deleted, count_changed, count_created, fold_ticket_changes, quarters_of, quarter_hour, tickets_resolve;
DROP TABLE ticket_quarters, ticket_days, ticket_totals, ticket_changes;
ALTER TABLE tickets DROP COLUMN resolved_at;
