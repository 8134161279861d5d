-- Returns who decided a label, as JSON: the client, who gave or corrected it, or the classifier that suggested it. A
-- suggestion by `flask triage reclassify` decides nothing: the ticket had its labels before.
CREATE OR REPLACE FUNCTION decision_json(label text, suggested text, confidence real, suggested_by text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN suggested IS NULL THEN '{"source":"caller"}'
        WHEN label <> suggested OR suggested_by = 'reclassify'
            THEN '{"source":"caller","suggested":"' || suggested || '"}'
        ELSE '{"source":"' || suggested_by || '","confidence":' || round(confidence::numeric, 3) || '}'
    END;

-- The same with all members, null where decision_json() leaves them out.
CREATE OR REPLACE FUNCTION complete_decision_json(label text, suggested text, confidence real, suggested_by text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN suggested IS NULL THEN '{"source":"caller","confidence":null,"suggested":null}'
        WHEN label <> suggested OR suggested_by = 'reclassify'
            THEN '{"source":"caller","confidence":null,"suggested":"' || suggested || '"}'
        ELSE '{"source":"' || suggested_by || '","confidence":' || round(confidence::numeric, 3) || ',"suggested":null}'
    END;
