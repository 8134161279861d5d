-- What `flask doctor` looks at: the server and what this role may do in this database, as a JSON object.
SELECT json_build_object(
    'version', current_setting('server_version_num')::integer,
    'version_text', current_setting('server_version'),
    'database', current_database(),
    'role', current_user,
    'now', extract(epoch FROM clock_timestamp()),
    'max_connections', current_setting('max_connections')::integer,
    'reserved_connections', current_setting('superuser_reserved_connections')::integer
        + coalesce(current_setting('reserved_connections', true)::integer, 0),
    'role_limit', (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
    'autovacuum', current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean,
    'read_only', current_setting('transaction_read_only')::boolean,
    'may_create', has_database_privilege(current_database(), 'CREATE'),
    'may_temp', has_database_privilege(current_database(), 'TEMP'),
    'is_superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
)
