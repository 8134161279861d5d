-- Condition: the folded text `x.text` has all words of the search and none of the excluded ones.
-- $1 search_patterns: for LIKE, not folded; all must match
-- $2 excluded_patterns: none may match
x.text LIKE ALL ((SELECT search_fold($1::text)::text[])::text[])
    AND NOT x.text LIKE ANY ((SELECT search_fold($2::text)::text[])::text[])
