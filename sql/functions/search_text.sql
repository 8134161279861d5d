-- Returns the text that searches read: title and description, folded. Folded texts have no upper-case ASCII letter, so no
-- pattern matches the T that ends each of the two: no phrase reaches from one into the other.
-- depends: search_fold, with_ascii_pairs
CREATE OR REPLACE FUNCTION search_text(title text, description text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN octet_length(title) = char_length(title) AND octet_length(description) = char_length(description)
            THEN search_fold(title) || 'T' || search_fold(description) || 'T'
        ELSE with_ascii_pairs(search_fold(title) || 'T' || search_fold(description) || 'T')
    END;
