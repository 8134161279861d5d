-- Returns what identifies this session among all sessions of all servers.
-- Retry: safe
SELECT concat_ws(' ', pg_backend_pid(), pg_postmaster_start_time())
