-- Condition: one of the comments of the ticket `x` matches the search or, with search_in `all`, its own text `x.text` does.
-- OFFSET keeps the planner from reading all comments for the few tickets of a scan.
-- $1 search_patterns: for LIKE, not folded; all must match
-- $2 excluded_patterns: none may match
-- $3 search_in: comments or all
-- $4 without_internal: whether internal comments do not count
(
    (
        $3::text = 'all'
        AND x.text LIKE ALL ((SELECT search_fold($1::text)::text[])::text[])
        AND NOT x.text LIKE ANY ((SELECT search_fold($2::text)::text[])::text[])
    )
    OR EXISTS (
        SELECT
        FROM comments AS c
        WHERE c.ticket_id = x.id
            AND ($4::boolean AND c.internal) IS NOT TRUE
            AND c.search_text LIKE ALL ((SELECT search_fold($1::text)::text[])::text[])
            AND NOT c.search_text LIKE ANY ((SELECT search_fold($2::text)::text[])::text[])
        OFFSET 0
    )
)
