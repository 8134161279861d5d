-- Deletes all label and token counts, and the authors of training examples, after a TRUNCATE of the tickets.
CREATE OR REPLACE FUNCTION triage_reset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM triage_text_counts;
    DELETE FROM triage_weights;
    DELETE FROM triage_author_counts;
    DELETE FROM triage_examples;
    RETURN NULL;
END $$;
