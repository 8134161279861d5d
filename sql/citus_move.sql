-- Moves a schema that sql/citus.sql has distributed to another node, while its service runs:
--
--     psql "$MIGRATE_DATABASE_URL" --set schema=acme --set node=worker2 --set port=5432 --file sql/citus_move.sql
--
-- First the sequences of the node are set so far ahead that no number that is drawn until then is greater.
\set ON_ERROR_STOP on
SET search_path TO '';
SELECT bool_and(done.success) AS is_ahead
FROM (
    SELECT format('SELECT setval(''%I.%I'', %s)', s.schemaname, s.sequencename, max(number.result::bigint) + 1000000) AS command
    FROM pg_sequences AS s
    CROSS JOIN LATERAL run_command_on_workers(format('SELECT last_value FROM %I.%I', s.schemaname, s.sequencename)) AS number
    WHERE s.schemaname = :'schema'
    GROUP BY s.schemaname, s.sequencename
) AS each
CROSS JOIN LATERAL master_run_on_worker(ARRAY[:'node'], ARRAY[:port], ARRAY[each.command], false) AS done
\gset
\if :is_ahead
SELECT citus_schema_move(:'schema', :'node', :port);
\else
\warn The sequences of the node cannot be set.
\endif
