-- Takes over the background work of all processes until the end of the transaction, unless another transaction has it, and
-- returns whether this one has it now. The lock is that of this table of tickets: a database may have several, in schemas.
CREATE OR REPLACE FUNCTION background_work_take() RETURNS boolean LANGUAGE sql
    RETURN pg_try_advisory_xact_lock(7598253, 'tickets'::regclass::oid::integer);

-- Returns whether another transaction has taken over the background work.
CREATE OR REPLACE FUNCTION background_work_is_taken() RETURNS boolean LANGUAGE sql
    RETURN NOT pg_try_advisory_xact_lock_shared(7598253, 'tickets'::regclass::oid::integer);
