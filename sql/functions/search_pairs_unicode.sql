-- Returns search_pairs() of a text that is not only ASCII. Of a run of ASCII only the first and the last character can be part
-- of a pair: those in between are removed first.
CREATE OR REPLACE FUNCTION search_pairs_unicode(body text) RETURNS integer[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    short CONSTANT text := regexp_replace(
        body COLLATE "C", '(?<=[\u0001-\u007f])[\u0001-\u007f]+(?=[\u0001-\u007f])', '', 'g'
    );
    codes integer[] := ARRAY(SELECT ascii(unnest(string_to_array(short, NULL))));
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
