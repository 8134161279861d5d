-- Returns what `flask doctor` checks about the server and about the rights of this role in this database.
-- Retry: safe
SELECT
    current_setting('server_version_num')::integer AS version,
    current_setting('server_version') AS version_text,
    current_database() AS database,
    current_schema() AS schema,
    current_setting('server_encoding') AS encoding,
    current_user AS role,
    extract(epoch FROM clock_timestamp())::double precision AS now,
    current_setting('max_connections')::integer AS max_connections,
    current_setting('superuser_reserved_connections')::integer
        + coalesce(current_setting('reserved_connections', true)::integer, 0) AS reserved_connections,
    (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role_limit,
    current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean AS autovacuum,
    current_setting('transaction_read_only')::boolean AS read_only,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser,
    coalesce(/* include: may_write */ true, true) AS may_write,
    has_database_privilege(current_database(), 'CREATE') AS may_create,
    has_database_privilege(current_database(), 'TEMP') AS may_temp
