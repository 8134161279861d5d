-- Returns numbers for what the index of pairs knows of a folded text: its characters beyond ASCII, and all adjacent pairs
-- that have one. Unlike trigrams they do not depend on what the locale takes for a letter. Different pairs may have the
-- same number, since texts are compared anyway.
-- The index ticket_texts_pairs has its results: a change needs a migration that builds the index anew.
CREATE OR REPLACE FUNCTION search_pairs(body text) RETURNS integer[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    codes integer[] := ARRAY(SELECT ascii(unnest(string_to_array(body, NULL))));
BEGIN
    RETURN ARRAY(
        SELECT pair.a * 1024 # pair.b
        FROM (SELECT unnest(codes) AS a, unnest(codes[2:]) AS b) AS pair
        WHERE (pair.a > 127 OR pair.b > 127) AND pair.b IS NOT NULL
        UNION ALL
        SELECT code.code
        FROM (SELECT unnest(codes) AS code) AS code
        WHERE code.code > 127
    );
END $$;
