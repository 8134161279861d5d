-- Condition: the text of the ticket `t`, one of its comments, or either matches the search, if there is one.
-- $1 search_patterns: for LIKE, not folded; all must match
-- $2 excluded_patterns: none may match
-- $3 search_in: comments or all; NULL means the texts of tickets
(
    $1::text[] || $2::text[] = '{}'
    OR (
        $3::text IS DISTINCT FROM 'comments'
        AND t.id IN (SELECT x.id FROM /* include: text_matches */ tickets AS x (id))
    )
    OR (
        $3::text IS NOT NULL
        AND t.id IN (SELECT x.id FROM /* include: comment_matches */ tickets AS x (id))
    )
)
