-- Returns numbers for what the index knows of a folded text besides trigrams: its characters beyond ASCII, and all adjacent
-- pairs that have one. Unlike trigrams they do not depend on what the locale takes for a letter. Different pairs may have
-- the same number, since texts are compared anyway.
-- The index ticket_texts_search has its results: a change needs a migration that rebuilds the index.
-- depends: search_pairs_unicode
CREATE OR REPLACE FUNCTION search_pairs(body text) RETURNS integer[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(body) = char_length(body) THEN '{}' ELSE search_pairs_unicode(body) END;
