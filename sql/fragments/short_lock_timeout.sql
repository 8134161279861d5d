-- Value: the lock timeout for the rest of the statement. A statement with changes of several clients does not wait longer than
-- this for another transaction on behalf of one of them. It is longer than the transactions of several such statements, which
-- wait for one another to learn: one that gives up has worked for nothing, and its changes are then made one by one.
set_config('lock_timeout', '500ms', true)
