DROP TABLE tickets CASCADE;
DROP FUNCTION tickets_complete, rfc3339, uuid_v7_floor, uuid_v7, uuid_v7_prefix;
DROP TYPE ticket_category, ticket_priority, ticket_status;
