-- Identifies where numbers of events are given: the database cluster, its timeline, the database and the table. A promoted
-- standby has another timeline, a copy of the database another database, a restored dump another table.
CREATE OR REPLACE FUNCTION event_source() RETURNS text
    LANGUAGE sql STABLE
    RETURN (SELECT system_identifier FROM pg_control_system())
        || '/' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
        || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
        || '/' || 'events'::regclass::oid;
