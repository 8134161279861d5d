-- Deletes all label and token counts after a TRUNCATE of the tickets.
CREATE OR REPLACE FUNCTION triage_reset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM triage_text_counts;
    DELETE FROM triage_token_counts;
    RETURN NULL;
END $$;
