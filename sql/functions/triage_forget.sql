-- Forgets the training examples that an API key has taught so far, or counts those again that were forgotten. Returns
-- their number. A forgotten example stays forgotten, whatever is retrained, until somebody has judged the ticket again.
CREATE OR REPLACE FUNCTION triage_forget(key text, forgotten boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found bigint;
BEGIN
    LOCK TABLE tickets IN ACCESS SHARE MODE; -- as triage_retrain() does
    LOCK TABLE triage_text_counts IN EXCLUSIVE MODE;
    PERFORM triage_record_authors();
    UPDATE triage_examples AS e SET is_forgotten = forgotten WHERE e.author = key AND e.is_forgotten <> forgotten;
    GET DIAGNOSTICS found = ROW_COUNT;
    PERFORM triage_retrain(training.cutoff) FROM triage_training AS training;
    RETURN found;
END $$;
