-- Sets settings of the session or of its current transaction.
-- $1 names
-- $2 values
-- $3 is_local: whether they end with the transaction
SELECT set_config(setting.name, setting.value, $3::boolean)
FROM unnest($1::text[], $2::text[]) AS setting (name, value)
