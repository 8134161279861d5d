-- Counts the changes of training examples that triage_learn() has collected while the statement ran, and ends the deferral,
-- so that it does not reach the next statement of the transaction.
CREATE OR REPLACE FUNCTION triage_learn_deferred() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes triage_pending_changes[];
BEGIN
    PERFORM set_config('ticketsvc.learning', '', true);
    WITH taken AS (
        DELETE FROM triage_pending_changes AS p RETURNING p AS change
    )
    SELECT array_agg(taken.change) INTO changes FROM taken;
    IF changes IS NOT NULL THEN
        PERFORM triage_apply_changes(changes);
    END IF;
    RETURN NULL;
END $$;
