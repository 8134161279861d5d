-- Appends each pair of ASCII letters or digits that another alphabet follows, with a T: the index serves a search for two
-- such letters only if ASCII, or the end of the word, comes next (ticketsvc/store/filter_parameters.py).
CREATE OR REPLACE FUNCTION with_ascii_pairs(body text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN body || coalesce(
        (
            SELECT string_agg(DISTINCT found.pair[1], 'T') || 'T'
            FROM regexp_matches(body COLLATE "C", '([a-z0-9]{2})[^\u0001-\u007f]', 'g') AS found (pair)
        ),
        ''
    );
