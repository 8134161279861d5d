-- Returns how far the log of a primary goes: it is run after a commit, and in a transaction of its own.
-- Retry: safe
SELECT
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) AS timeline,
    pg_current_wal_insert_lsn()::text AS lsn
