-- Sets a setting of the transaction, which tells triggers about the change of a ticket that is under way, and returns its value.
-- Called in RETURNING, it runs before AFTER triggers do. With a value of the row as its argument it runs where the row is: in a
-- distributed database (docs/citus.md) the node that takes the statement is another one.
CREATE OR REPLACE FUNCTION note_change(setting text, value text, ticket_id uuid) RETURNS text LANGUAGE sql
    RETURN set_config(setting, value, true);
