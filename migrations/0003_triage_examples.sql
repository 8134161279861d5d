-- Triage: corrected tickets are found by an index, newest first, as examples for a model. And what is suggested for a
-- ticket long after somebody labelled it (suggested_by = 'reclassify') decided nothing: the ticket says so.
-- depends: 0002_triage

-- A ticket enters it when somebody corrects a label; creating one never does. Writes wait while it is built: half a
-- second for a million tickets.
CREATE INDEX tickets_corrected ON tickets (id)
    WHERE category <> suggested_category OR priority <> suggested_priority;

-- Who decided a label: the caller who gave or corrected it, or who suggested it.
CREATE OR REPLACE FUNCTION decision_json(label text, suggested text, confidence real, suggested_by text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN suggested IS NULL THEN '{"source":"caller"}'
        WHEN label <> suggested OR suggested_by = 'reclassify'
            THEN '{"source":"caller","suggested":"' || suggested || '"}'
        ELSE '{"source":"' || suggested_by || '","confidence":' || round(confidence::numeric, 3) || '}'
    END;
