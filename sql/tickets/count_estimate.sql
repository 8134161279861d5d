-- Returns about how many texts a count of a search has to read, from a sample of 5,000: those that have all of its words. It is the
-- same number until the texts change.
-- Retry: safe
-- $1 total: how many tickets there are
-- $2 search_patterns: for LIKE, not folded; all must match
SELECT coalesce(
    $1::bigint * count(*) FILTER (
        WHERE x.text LIKE ALL ((SELECT replace(search_fold($2::text[]::text), ' ', '%')::text[])::text[])
    ) / nullif(count(*), 0),
    0
)
FROM ticket_texts AS x TABLESAMPLE SYSTEM (least(100, 500000.0 / greatest($1::bigint, 1))) REPEATABLE (0)
