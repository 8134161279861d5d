-- Returns a text, or the text form of an array of LIKE patterns, as searches compare it: canonically equivalent texts and
-- those that differ only in letter case become equal, and each run of white space becomes one space. It is the same in
-- every locale, and NFC. `search_text` and all queries of searches use it.
-- depends: search_fold_unicode
CREATE OR REPLACE FUNCTION search_fold(body text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN octet_length(body) <> char_length(body) THEN search_fold_unicode(body)
        WHEN body COLLATE "C" ~ '[\t\n\v\f\r]|  '
            -- a space by itself is left as it is: replacing each would take four times as long
            THEN regexp_replace(lower(body COLLATE "C"), '[\t\n\v\f\r ]{2,}|[\t\n\v\f\r]', ' ', 'g')
        ELSE lower(body COLLATE "C")
    END;
