-- Returns which database this is, the same text on a primary and on its physical replicas, and whether it is a replica.
-- Retry: safe
SELECT
    (SELECT system_identifier FROM pg_control_system()) || '/' || d.oid AS identity,
    pg_is_in_recovery() AS is_replica
FROM pg_database AS d
WHERE d.datname = current_database()
