-- Returns the text of a comment that searches read, folded as search_text() folds those of a ticket.
-- depends: search_fold, with_ascii_pairs
CREATE OR REPLACE FUNCTION comment_text(body text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN octet_length(body) = char_length(body) THEN search_fold(body) || 'T'
        ELSE with_ascii_pairs(search_fold(body) || 'T')
    END;
