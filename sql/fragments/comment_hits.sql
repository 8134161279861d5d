-- Table: the ids of the tickets that have a comment whose text matches the search or, with search_in `all`, whose own text does,
-- each once for every such text.
-- $1 search_patterns: for LIKE, not folded; all must match
-- $2 excluded_patterns: none may match
-- $3 index_patterns: those of search_patterns that the index serves by trigrams, at most four
-- $4 index_regex: another condition for the index, a regular expression in lower case; '' means none
-- $5 index_words: words that the index serves by pairs, not folded; {} means none
-- $6 search_in: comments or all
(
    SELECT x.id
    FROM /* include: comment_matches */ tickets AS x (id)
    UNION ALL
    SELECT x.id
    FROM search_matches($1::text[], $2::text[], $3::text[], $4::text, $5::text[]) AS x (id)
    WHERE $6::text = 'all'
)
