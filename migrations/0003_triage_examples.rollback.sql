CREATE OR REPLACE FUNCTION decision_json(label text, suggested text, confidence real, suggested_by text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN suggested IS NULL THEN '{"source":"caller"}'
        WHEN label <> suggested THEN '{"source":"caller","suggested":"' || suggested || '"}'
        ELSE '{"source":"' || suggested_by || '","confidence":' || round(confidence::numeric, 3) || '}'
    END;

DROP INDEX tickets_corrected;
