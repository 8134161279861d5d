-- Returns the hash of a text and the key that taught it: a text counts once for each key.
CREATE OR REPLACE FUNCTION triage_text_hash(text_hash uuid, author text) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN author = '' THEN text_hash ELSE md5(author || ' ' || text_hash)::uuid END;
