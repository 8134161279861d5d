-- Condition: the text `x.text` (lower case) has all words of the search and none of the excluded ones.
-- $1 search_patterns: for LIKE, in any letter case; all must match
-- $2 excluded_patterns: none may match
x.text LIKE ALL ((SELECT lower($1::text)::text[])::text[])
    AND NOT x.text LIKE ANY ((SELECT lower($2::text)::text[])::text[])
