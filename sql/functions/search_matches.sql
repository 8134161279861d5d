-- Returns the ids of the tickets whose text matches all of the patterns, and none of the excluded ones. The other parameters
-- are the conditions that the index can serve, by trigrams or by pairs. With neither, every text is read.
-- depends: search_fold, search_pairs
CREATE OR REPLACE FUNCTION search_matches(
    patterns text[], excluded text[], index_patterns text[], index_regex text, index_words text[]
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
        SELECT x.id, x.text
        FROM ticket_texts AS x
        WHERE (SELECT w.has_text FROM wanted AS w)
            AND x.text LIKE coalesce((SELECT w.indexed[1] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[2] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[3] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[4] FROM wanted AS w), '%')
            AND x.text ~ (SELECT w.regex FROM wanted AS w)
        UNION ALL
        SELECT x.id, x.text
        FROM ticket_texts AS x
        WHERE (SELECT NOT w.has_text AND w.pairs <> '{}' FROM wanted AS w)
            AND search_pairs(x.text) @> (SELECT w.pairs FROM wanted AS w)
        UNION ALL
        SELECT x.id, x.text
        FROM ticket_texts AS x
        WHERE (SELECT NOT w.has_text AND w.pairs = '{}' FROM wanted AS w)
    )
    SELECT x.id
    FROM candidate AS x
    WHERE x.text LIKE ALL ((SELECT w.patterns FROM wanted AS w)::text[])
        AND NOT x.text LIKE ANY ((SELECT w.excluded FROM wanted AS w)::text[]);
END;
