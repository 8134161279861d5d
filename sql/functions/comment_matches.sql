-- Returns the ids of the tickets that have one comment whose text matches all of the patterns, and none of the excluded ones;
-- each once for every such comment. The other parameters are those of search_matches(), and whether internal comments are
-- left out.
-- depends: search_fold, search_pairs
CREATE OR REPLACE FUNCTION comment_matches(
    patterns text[], excluded text[], index_patterns text[], index_regex text, index_words text[], without_internal boolean
) RETURNS SETOF uuid
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH wanted AS MATERIALIZED (
        SELECT search_fold(patterns::text)::text[] AS patterns,
            search_fold(excluded::text)::text[] AS excluded,
            search_fold(index_patterns::text)::text[] AS indexed,
            index_regex AS regex,
            ARRAY(
                SELECT pair
                FROM unnest(index_words) AS word
                CROSS JOIN unnest(search_pairs(search_fold(word))) AS pair
            ) AS pairs,
            index_patterns <> '{}' OR index_regex <> '' AS has_text
    ),
    candidate AS NOT MATERIALIZED (
        SELECT c.ticket_id, c.internal, c.search_text
        FROM comments AS c
        WHERE (SELECT w.has_text FROM wanted AS w)
            AND c.search_text LIKE coalesce((SELECT w.indexed[1] FROM wanted AS w), '%')
            AND c.search_text LIKE coalesce((SELECT w.indexed[2] FROM wanted AS w), '%')
            AND c.search_text LIKE coalesce((SELECT w.indexed[3] FROM wanted AS w), '%')
            AND c.search_text LIKE coalesce((SELECT w.indexed[4] FROM wanted AS w), '%')
            AND c.search_text ~ (SELECT w.regex FROM wanted AS w)
        UNION ALL
        SELECT c.ticket_id, c.internal, c.search_text
        FROM comments AS c
        WHERE (SELECT NOT w.has_text AND w.pairs <> '{}' FROM wanted AS w)
            AND search_pairs(c.search_text) @> (SELECT w.pairs FROM wanted AS w)
        UNION ALL
        SELECT c.ticket_id, c.internal, c.search_text
        FROM comments AS c
        WHERE (SELECT NOT w.has_text AND w.pairs = '{}' FROM wanted AS w)
    )
    SELECT c.ticket_id
    FROM candidate AS c
    WHERE c.search_text LIKE ALL ((SELECT w.patterns FROM wanted AS w)::text[])
        AND NOT c.search_text LIKE ANY ((SELECT w.excluded FROM wanted AS w)::text[])
        AND (without_internal AND c.internal) IS NOT TRUE;
END;
