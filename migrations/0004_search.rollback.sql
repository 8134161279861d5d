-- The extensions stay: others may have come to use them.
DROP TRIGGER IF EXISTS ticket_texts_add ON tickets;
DROP TRIGGER IF EXISTS ticket_texts_change ON tickets;
DROP TRIGGER IF EXISTS ticket_texts_remove ON tickets;
DROP TRIGGER IF EXISTS ticket_texts_remove_all ON tickets;
DROP FUNCTION IF EXISTS tickets_with_text;
DROP TABLE IF EXISTS ticket_texts;
DROP FUNCTION IF EXISTS
    ticket_texts_add, ticket_texts_change, ticket_texts_remove, ticket_texts_remove_all, ticket_week_floor, ticket_week,
    search_text;
