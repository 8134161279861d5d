-- Condition: this role may change tickets; NULL before the first migration.
(
    SELECT bool_and(has_table_privilege(to_regclass('tickets'), privilege))
    FROM unnest('{INSERT,UPDATE,DELETE}'::text[]) AS privilege
)
