-- Value: the lock timeout for the rest of the statement. A statement with changes of several clients does not wait longer than
-- this for another transaction on behalf of one of them.
set_config('lock_timeout', '100ms', true)
