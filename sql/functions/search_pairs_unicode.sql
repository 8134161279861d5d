-- Returns search_pairs() of a text that is not only ASCII.
CREATE OR REPLACE FUNCTION search_pairs_unicode(body text) RETURNS integer[]
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
