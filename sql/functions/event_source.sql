-- Identifies where numbers of events are given: the database cluster, its timeline and the table. A restored dump has
-- another table, a promoted standby another timeline.
CREATE OR REPLACE FUNCTION event_source() RETURNS text
    LANGUAGE sql STABLE
    RETURN (SELECT system_identifier FROM pg_control_system())
        || '/' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
        || '/' || 'events'::regclass::oid;
