-- Table: the ids of all tickets whose text matches the search, found with the index by text where it can help.
-- $1 search_patterns: for LIKE, in any letter case; all must match
-- $2 excluded_patterns: none may match
-- $3 index_patterns: those of search_patterns that the index serves, at most four
-- $4 index_regex: another condition for the index, a regular expression; '' means none
tickets_with_text($1::text[], $2::text[], $3::text[], $4::text)
