-- Condition: the text of the ticket `t` matches the search, if there is one.
-- $1 search_patterns: for LIKE, not folded; all must match
-- $2 excluded_patterns: none may match
(
    $1::text[] || $2::text[] = '{}'
    OR t.id IN (SELECT x.id FROM /* include: text_matches */ tickets AS x (id))
)
