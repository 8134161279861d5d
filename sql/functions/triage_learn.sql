-- Subtracts the training example that the ticket was from the label and token counts, and adds the one that it is
-- now. Its author is the API key of the change (ticket_author()); of a change without a key it is the key that created the
-- ticket, and '' if there is none.
-- A statement that changes or deletes many tickets sets ticketsvc.learning to 'deferred' (tickets/update_matching.sql): then
-- the changes are collected, and triage_learn_deferred() counts them when the statement ends. Counted one by one, each
-- would add a version of the same rows that the next has to pass: a time with the square of the number of tickets.
-- Such a statement teaches nothing: the remaining labels of an example keep its author, and stay forgotten.
-- One transaction learns at a time: two that each change many tickets cannot deadlock.
CREATE OR REPLACE FUNCTION triage_learn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_deferred boolean;
    earlier triage_examples;
    current triage_examples;
    changes triage_pending_changes[];
BEGIN
    IF TG_OP = 'UPDATE'
        AND category_label(OLD) IS NOT DISTINCT FROM category_label(NEW)
        AND priority_label(OLD) IS NOT DISTINCT FROM priority_label(NEW)
        AND ((category_label(NEW) IS NULL AND priority_label(NEW) IS NULL)
            OR (OLD.title, OLD.description) IS NOT DISTINCT FROM (NEW.title, NEW.description))
    THEN
        RETURN NULL;
    END IF;
    is_deferred := TG_OP <> 'INSERT' AND current_setting('ticketsvc.learning', true) = 'deferred';
    -- Costs no concurrency: every example changes the row of all tokens, which is locked until the commit anyway.
    PERFORM pg_advisory_xact_lock(7598253, 'triage_text_counts'::regclass::oid::integer);
    -- Waits for a retraining that is running; the next statement then sees its counts. A retraining takes no other lock
    -- that a change may hold.
    LOCK TABLE triage_text_counts IN ROW EXCLUSIVE MODE;
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM triage_examples AS e WHERE e.ticket_id = OLD.id RETURNING e.* INTO earlier;
    END IF;
    IF TG_OP <> 'DELETE' AND (category_label(NEW) IS NOT NULL OR priority_label(NEW) IS NOT NULL) THEN
        current := earlier;
        IF is_deferred IS NOT TRUE THEN
            current := ROW(NEW.id, coalesce(
                nullif(split_part(ticket_author(NEW.id), ' ', 2), ''), NEW.created_by, ''
            ), false);
        END IF;
        IF current.author <> '' THEN
            INSERT INTO triage_examples SELECT current.*;
        END IF;
    END IF;
    SELECT array_agg(
        ROW(
            version.author, triage_text_hash(example.text_hash, version.author), example.buckets, example.label_counts,
            version.sign
        )::triage_pending_changes
    )
    INTO changes
    FROM (
        VALUES
            (OLD, coalesce(earlier.author, ''), earlier.is_forgotten, -1),
            (NEW, coalesce(current.author, ''), current.is_forgotten, 1)
    ) AS version (ticket, author, is_forgotten, sign)
    CROSS JOIN LATERAL training_example(version.ticket) AS example
    WHERE version.is_forgotten IS NOT TRUE;
    IF is_deferred THEN
        INSERT INTO triage_pending_changes SELECT c.* FROM unnest(changes) AS c;
    ELSIF changes IS NOT NULL THEN
        PERFORM triage_apply_changes(changes);
    END IF;
    RETURN NULL;
END $$;
