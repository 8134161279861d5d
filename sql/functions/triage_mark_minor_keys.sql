-- Records in the row of all tokens whether there are API keys that have taught less than all others together, so that
-- classifying a text costs nothing more where there are none.
CREATE OR REPLACE FUNCTION triage_mark_minor_keys() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE triage_weights AS total
    SET has_minor_keys = NOT total.has_minor_keys
    WHERE total.bucket = -1
        AND total.has_minor_keys <> EXISTS (
            SELECT
            FROM triage_author_counts AS a
            WHERE a.bucket = -1 AND triage_is_minor(a.label_counts, total.weights)
        );
END $$;
