-- Returns the text that searches read: title and description in lower case. Patterns are in lower case too, so that
-- none matches the upper-case T that ends each of the two: no phrase reaches from one into the other. A trigram index
-- finds two letters by the trigrams they can begin: with any letter or digit of ASCII, or with the end of the word.
-- Where other characters occur, the text is appended a second time with T between all characters, so that two
-- adjacent ones are a trigram (and one alone, between two T). Nothing but a single character matches in that part,
-- and it also occurs in the first.
CREATE OR REPLACE FUNCTION search_text(title text, description text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(title) || 'T' || lower(description) || 'T'
        || CASE
            WHEN octet_length(title) = char_length(title) AND octet_length(description) = char_length(description)
                THEN ''
            ELSE array_to_string(string_to_array(lower(title) || 'T' || lower(description), NULL), 'T') || 'T'
        END;
