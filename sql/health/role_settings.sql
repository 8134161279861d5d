-- Returns a statement for each setting that gives it to all new sessions of this role in this database.
-- Retry: safe
-- $1 names
-- $2 values
SELECT format('ALTER ROLE %I IN DATABASE %I SET %I = %L;', current_user, current_database(), name, value)
FROM unnest($1::text[], $2::text[]) AS setting (name, value)
