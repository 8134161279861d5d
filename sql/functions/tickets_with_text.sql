-- Returns the ids of the tickets whose text matches all of the patterns, in any letter case, and none of the excluded
-- ones. The other two parameters are the conditions that the index can serve; with neither, every text is read.
CREATE OR REPLACE FUNCTION tickets_with_text(
    patterns text[], excluded text[], index_patterns text[], index_regex text
) RETURNS SETOF uuid
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH wanted AS MATERIALIZED (
        SELECT lower(patterns::text)::text[] AS patterns,
            lower(excluded::text)::text[] AS excluded,
            lower(index_patterns::text)::text[] AS indexed,
            lower(index_regex) AS regex,
            index_patterns <> '{}' OR index_regex <> '' AS has_index
    ),
    candidate AS NOT MATERIALIZED (
        SELECT x.id, x.text
        FROM ticket_texts AS x
        WHERE (SELECT w.has_index FROM wanted AS w)
            AND x.text LIKE coalesce((SELECT w.indexed[1] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[2] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[3] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[4] FROM wanted AS w), '%')
            AND x.text ~ (SELECT w.regex FROM wanted AS w)
        UNION ALL
        SELECT x.id, x.text
        FROM ticket_texts AS x
        WHERE NOT (SELECT w.has_index FROM wanted AS w)
    )
    SELECT x.id
    FROM candidate AS x
    WHERE x.text LIKE ALL ((SELECT w.patterns FROM wanted AS w)::text[])
        AND NOT x.text LIKE ANY ((SELECT w.excluded FROM wanted AS w)::text[]);
END;
