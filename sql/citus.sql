-- Distributes the schema of a service by Citus (docs/citus.md), or brings it up to date after a `flask migrate`:
--
--     psql "$MIGRATE_DATABASE_URL" --set role=acme --set schema=acme --file sql/citus.sql
--
-- Run it as a superuser on the coordinator, after sql/service_role.sql, which creates the role. It derives all definitions from
-- the catalogue. PostgreSQL without Citus does not need it: tables, migrations and statements are the same.
\set ON_ERROR_STOP on
SET client_min_messages TO error; -- no warning that a function stays here: step 3 creates it again
SET citus.enable_unsafe_triggers TO on;
SET check_function_bodies TO off;
SET search_path TO ''; -- definitions are printed with the schema of each name

BEGIN;
-- 1. Functions with bodies as text, which make no dependency of a table on another one. A function that reads tables must be
-- called, not expanded into the statement that calls it: a setting prevents that.
SELECT format(
    '%s %s AS %L',
    left(definition, length(definition) - length(body) - 1),
    CASE WHEN reads_tables THEN format('SET search_path TO %I', :'schema') END,
    regexp_replace(regexp_replace(body, '^RETURN ', 'SELECT '), '^BEGIN ATOMIC\s(.*)END$', '\1')
)
FROM (
    SELECT p.oid, pg_get_functiondef(p.oid) AS definition, pg_get_function_sqlbody(p.oid) AS body, EXISTS (
            SELECT
            FROM pg_depend AS d
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass
        ) AS reads_tables
    FROM pg_proc AS p
    WHERE p.pronamespace = :'schema'::regnamespace AND p.prosqlbody IS NOT NULL
) AS f
ORDER BY oid
\gexec
COMMIT;

-- 2. The tables. A move copies them by logical replication: it needs to know their rows.
SELECT count(*) = 0 AS is_new FROM pg_dist_schema WHERE schemaid = :'schema'::regnamespace
\gset
\if :is_new
SELECT format('ALTER TABLE %s SET LOGGED', c.oid::regclass)
FROM pg_class AS c
WHERE c.relnamespace = :'schema'::regnamespace AND c.relkind = 'r' AND c.relpersistence = 'u'
UNION ALL
SELECT format('ALTER TABLE %s REPLICA IDENTITY FULL', c.oid::regclass)
FROM pg_class AS c
WHERE c.relnamespace = :'schema'::regnamespace AND c.relkind = 'r'
    AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)
\gexec
SELECT citus_schema_distribute(:'schema');
\endif

-- 3. The functions again, because those that depend on tables were kept from the other nodes.
SELECT pg_get_functiondef(p.oid)
FROM pg_proc AS p
WHERE p.pronamespace = :'schema'::regnamespace AND p.prokind = 'f' AND NOT 'anyelement'::regtype = ANY (p.proargtypes)
ORDER BY p.oid
\gexec

-- 4. Functions of rows, also for rows of any type: a shard of a table has a type of its own. Not those of entries of the history,
-- which get the results of other functions.
SELECT array_agg(c.reltype::oid) AS row_types
FROM pg_class AS c
WHERE c.relnamespace = :'schema'::regnamespace AND c.relkind = 'r' AND c.relname <> 'ticket_history'
\gset
SELECT replace(
    replace(
        pg_get_functiondef(p.oid),
        format('(%s)', pg_get_function_arguments(p.oid)),
        format('(%s)', (
            SELECT string_agg(
                concat_ws(
                    ' ',
                    p.proargnames[place],
                    CASE WHEN type = ANY (:'row_types'::oid[]) THEN 'anyelement' ELSE type::regtype::text END
                ),
                ', ' ORDER BY place
            )
            FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS argument (type, place)
        ))
    ),
    'NULL::' || p.proargtypes[0]::regtype, 'NULL'
)
FROM pg_proc AS p
WHERE p.pronamespace = :'schema'::regnamespace AND p.proargtypes::oid[] && :'row_types'::oid[]
ORDER BY p.oid
\gexec

-- 5. Functions that statements call in RETURNING, where Citus wants immutable ones. All take values of the row, so that they are
-- called for each row, on its node.
SELECT format('ALTER FUNCTION %s IMMUTABLE', p.oid::regprocedure)
FROM pg_proc AS p
WHERE p.pronamespace = :'schema'::regnamespace
    AND p.provolatile <> 'i'
    AND (
        p.proargtypes::oid[] && :'row_types'::oid[] OR 'anyelement'::regtype = ANY (p.proargtypes)
        OR p.proname IN ('note_change', 'comment_note', 'seconds_until')
    )
\gexec

-- Citus has no generic plans for them.
SELECT format('ALTER FUNCTION %s RESET plan_cache_mode', p.oid::regprocedure)
FROM pg_proc AS p
WHERE p.pronamespace = :'schema'::regnamespace AND p.proconfig @> '{plan_cache_mode=force_generic_plan}'
\gexec

-- 6. Triggers for each row in place of those that read a table of all rows, which a statement on a shard cannot pass on.
SELECT regexp_replace(
        regexp_replace(
            pg_get_functiondef(t.tgfoid), format('\mFROM %s\M(?= AS )', rows.name), format('FROM (SELECT %s.*)', rows.row), 'g'
        ),
        format('\mFROM %s\M', rows.name), format('FROM (SELECT %s.*) AS %s', rows.row, rows.name), 'g'
    ),
    replace(
        regexp_replace(pg_get_triggerdef(t.oid), 'REFERENCING .* FOR EACH STATEMENT', 'FOR EACH ROW'),
        'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'
    )
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
CROSS JOIN LATERAL (
    SELECT coalesce(t.tgnewtable, t.tgoldtable) AS name, CASE WHEN t.tgnewtable IS NULL THEN 'OLD' ELSE 'NEW' END AS row
) AS rows
WHERE c.relnamespace = :'schema'::regnamespace AND rows.name IS NOT NULL
\gexec

-- 7. Events: numbers of transactions are those of a node, and a schema moves between nodes. So the publisher reads the whole
-- outbox, not what is newer than the last event, and the source of the numbers of events is the schema.
SELECT replace(pg_get_functiondef(p.oid), 'horizon_before := last.horizon', 'horizon_before := ''0''')
FROM pg_proc AS p
WHERE p.pronamespace = :'schema'::regnamespace AND p.proname = 'publish_events'
\gexec
CREATE OR REPLACE FUNCTION :"schema".event_source() RETURNS text LANGUAGE sql STABLE RETURN 'citus';

-- 8. Functions with names that are looked up when they run find them on every node, for every role.
SELECT format('ALTER FUNCTION %s SET search_path TO %I', p.oid::regprocedure, :'schema')
FROM pg_proc AS p
JOIN pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace = :'schema'::regnamespace AND l.lanname = 'plpgsql'
\gexec

-- A call of a function that writes is passed on to the node that has the tables, where its advisory locks exclude all others.
SELECT format('SELECT create_distributed_function(%L, colocate_with => %L)', p.oid::regprocedure, format('%I.tickets', :'schema'))
FROM pg_proc AS p
WHERE p.pronamespace = :'schema'::regnamespace AND p.prokind = 'f' AND p.provolatile = 'v'
    AND p.prorettype <> 'trigger'::regtype AND NOT 'anyelement'::regtype = ANY (p.proargtypes)
    AND array_to_string(p.proconfig, ' ') ~ 'search_path='
\gexec

-- 9. The default of an identity column is nextval() on the node, for which a role needs the right. One node at a time draws from
-- a sequence: none needs a range of its own, with which numbers would become smaller by a move (sql/citus_move.sql).
SELECT ran.result
FROM (
    SELECT format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO %I', :'schema', :'role') AS command
    UNION ALL
    SELECT format(
        'SET citus.enable_ddl_propagation TO off; ALTER SEQUENCE %I.%I MINVALUE 1 NO MAXVALUE', s.schemaname, s.sequencename
    )
    FROM pg_sequences AS s
    WHERE s.schemaname = :'schema'
    UNION ALL -- Citus exhausts those of integers
    SELECT format(
        'SELECT setval(''%1$I.%2$I'', %3$s) FROM %1$I.%2$I WHERE last_value = %4$s',
        s.schemaname, s.sequencename, coalesce(s.last_value, 1), s.max_value
    )
    FROM pg_sequences AS s
    WHERE s.schemaname = :'schema' AND s.data_type = 'integer'::regtype
) AS each
CROSS JOIN LATERAL run_command_on_workers(each.command) AS ran
WHERE NOT ran.success;

-- 10. The service's functions read and write tables on a node that a statement was passed on to, and migrations create triggers.
SELECT format('ALTER ROLE %I IN DATABASE %I SET %s = on', setting.role, current_database(), setting.name)
FROM (
    VALUES (:'role', 'citus.allow_nested_distributed_execution'), (current_user, 'citus.enable_unsafe_triggers')
) AS setting (role, name)
\gexec
