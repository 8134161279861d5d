-- Condition: what the index by text knows about `x.text`. It holds for every text that matches search_patterns.
-- $1 index_patterns: those of search_patterns that the index serves, at most four
-- $2 index_regex: another condition, a regular expression in lower case; '' means none
x.text LIKE coalesce((SELECT (search_fold($1::text)::text[])[1]), '%')
    AND x.text LIKE coalesce((SELECT (search_fold($1::text)::text[])[2]), '%')
    AND x.text LIKE coalesce((SELECT (search_fold($1::text)::text[])[3]), '%')
    AND x.text LIKE coalesce((SELECT (search_fold($1::text)::text[])[4]), '%')
    AND x.text ~ $2::text
