DROP TRIGGER ticket_history_forget ON tickets;
DROP TRIGGER ticket_history_deleted ON tickets;
DROP TRIGGER ticket_history_changed ON tickets;
DROP FUNCTION ticket_history_forget, ticket_history_write, history_json, without_texts, ticket_created, ticket_first,
    ticket_difference;
DROP TABLE rate_limits, api_keys, idempotency_keys, ticket_history;
DROP TYPE api_scope, history_event;
ALTER TABLE tickets
    DROP COLUMN created_request,
    DROP COLUMN created_by;
