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

-- 2. The tables.
SELECT citus_schema_distribute(:'schema')
WHERE NOT EXISTS (SELECT FROM pg_dist_schema WHERE schemaid = :'schema'::regnamespace);

-- 3. The functions again, because those that depend on tables were kept from the other nodes.
SELECT pg_get_functiondef(p.oid)
FROM pg_proc AS p
WHERE p.pronamespace = :'schema'::regnamespace AND p.prokind = 'f' AND NOT 'anyelement'::regtype = ANY (p.proargtypes)
ORDER BY p.oid
\gexec

-- 4. Functions of rows, also for rows of any type: a shard of a table has a type of its own.
SELECT replace(
    replace(
        pg_get_functiondef(p.oid),
        format('(%s)', pg_get_function_arguments(p.oid)),
        format('(%s)', (
            SELECT string_agg(
                concat_ws(' ', p.proargnames[place], CASE WHEN type = ANY (row.types) THEN 'anyelement' ELSE type::regtype::text END),
                ', ' ORDER BY place
            )
            FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS argument (type, place)
        ))
    ),
    'NULL::' || p.proargtypes[0]::regtype, 'NULL'
)
FROM pg_proc AS p
CROSS JOIN (
    SELECT array_agg(c.reltype) AS types FROM pg_class AS c WHERE c.relnamespace = :'schema'::regnamespace AND c.relkind = 'r'
) AS row
WHERE p.pronamespace = :'schema'::regnamespace AND p.proargtypes::oid[] && row.types AND p.proname <> 'visible_entry'
ORDER BY p.oid
\gexec

-- 5. RETURNING
SELECT format('ALTER FUNCTION %s IMMUTABLE', p.oid::regprocedure)
FROM pg_proc AS p
CROSS JOIN (
    SELECT array_agg(c.reltype) AS types FROM pg_class AS c WHERE c.relnamespace = :'schema'::regnamespace AND c.relkind = 'r'
) AS row
WHERE p.pronamespace = :'schema'::regnamespace
    AND (p.proargtypes::oid[] && row.types OR 'anyelement'::regtype = ANY (p.proargtypes) OR p.proname IN ('note_change', 'comment_note', 'seconds_until'))
    AND p.provolatile <> 'i'
\gexec

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

-- 7. Numbers of transactions are those of a node: the publisher reads the whole outbox, not what is newer than the last event.
SELECT replace(pg_get_functiondef(p.oid), 'horizon_before := last.horizon', 'horizon_before := ''0''')
FROM pg_proc AS p
WHERE p.pronamespace = :'schema'::regnamespace AND p.proname = 'publish_events'
\gexec

-- 8. The default of an identity column is nextval() on the node, for which a role needs the right. One node at a time draws from
-- these sequences: they need no range for each node, which a move would make go backwards (citus_move.sql).
SELECT result
FROM (
    SELECT format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO %I', :'schema', :'role') AS command
    UNION ALL
    SELECT format('SET citus.enable_ddl_propagation TO off; ALTER SEQUENCE %s MINVALUE 1', c.oid::regclass)
    FROM pg_class AS c
    WHERE c.relnamespace = :'schema'::regnamespace AND c.relkind = 'S'
) AS each
CROSS JOIN LATERAL run_command_on_workers(each.command) AS ran
WHERE NOT ran.success;

-- 9. The settings of the role that are unsafe in general: functions that run on a node read and write tables there, and
SELECT format('ALTER ROLE %I IN DATABASE %I SET citus.allow_nested_distributed_execution = on', :'role', current_database())
\gexec
