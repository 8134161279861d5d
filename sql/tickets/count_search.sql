-- How many tickets a list with these filters and this text has, over all its pages.
-- It looks at every ticket that the index finds; where no word is one for the index, at every ticket.
-- $1 categories: the values allowed
-- $2 priorities: the values allowed
-- $3 statuses: the values allowed
-- $4 created_since: inclusive; NULL: any
-- $5 created_before: exclusive; NULL: any
-- $6 updated_since: inclusive; NULL: any
-- $7 updated_before: exclusive; NULL: any
-- $8 search_patterns: for LIKE, in any letter case; all must match
-- $9 excluded_patterns: none may match
-- $10 index_patterns: those of search_patterns to look up in the index, at most four
-- $11 index_regex: another condition for the index, true of every text that matches search_patterns; '': none
WITH wanted AS MATERIALIZED (
    SELECT lower($8::text)::text[] AS patterns,
        lower($9::text)::text[] AS excluded,
        lower($10::text)::text[] AS indexed,
        lower($11::text) AS regex,
        $10::text[] <> '{}' OR $11::text <> '' AS has_index
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
SELECT count(*)
FROM candidate AS x
JOIN tickets AS t ON t.id = x.id
WHERE x.text LIKE ALL ((SELECT w.patterns FROM wanted AS w)::text[])
    AND NOT x.text LIKE ANY ((SELECT w.excluded FROM wanted AS w)::text[])
    AND t.category = ANY ($1::ticket_category[])
    AND t.priority = ANY ($2::ticket_priority[])
    AND t.status = ANY ($3::ticket_status[])
    AND t.id >= greatest(uuid_v7_floor($4::timestamptz), '00000000-0000-0000-0000-000000000000')
    AND t.id < least(uuid_v7_floor($5::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    AND t.updated_at >= coalesce($6::timestamptz, '-infinity')
    AND t.updated_at < coalesce($7::timestamptz, 'infinity')
