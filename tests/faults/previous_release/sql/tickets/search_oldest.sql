-- A page of the tickets with the given facets and text, oldest first.
-- The tickets next in order are looked at one by one: that fills the page of a common word. What is missing is taken
-- from the rest: from all with the facets, where these are few, else from the index by text. What is rare there is taken
-- at once, anything else week by week until the page is full: a word that only new tickets have costs its weeks, no more.
-- $1 limit
-- $2 categories: the values allowed
-- $3 priorities: the values allowed
-- $4 statuses: the values allowed
-- $5 created_since: inclusive; NULL: any
-- $6 created_before: exclusive; NULL: any
-- $7 updated_since: inclusive; NULL: any
-- $8 updated_before: exclusive; NULL: any
-- $9 after_id: the id of the last ticket of the page before; NULL: the first page
-- $10 search_patterns: for LIKE, in any letter case; all must match
-- $11 excluded_patterns: none may match
-- $12 index_patterns: those of search_patterns to look up in the index, at most four
-- $13 index_regex: another condition for the index, true of every text that matches search_patterns; '': none
-- $14 near: how many tickets are looked at before the index is
-- $15 few: with fewer tickets than that behind those, all that have the facets are looked at instead; 0: never
-- $16 rare: what has so many hits in the sample, or fewer, is taken at once; -1: there is nothing for the index
-- $17 dense: the texts of a week with more hits are read in order, until the page is full
WITH RECURSIVE wanted AS MATERIALIZED (
    SELECT lower($10::text)::text[] AS patterns,
        lower($11::text)::text[] AS excluded,
        lower($12::text)::text[] AS indexed,
        lower($13::text) AS regex,
        greatest(uuid_v7_floor($5::timestamptz), '00000000-0000-0000-0000-000000000000') AS since,
        least(uuid_v7_floor($6::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff') AS until
),
near AS MATERIALIZED (
    SELECT x.id
    FROM (
        SELECT x.id, x.text
        FROM ticket_texts AS x
        WHERE x.id > coalesce($9::uuid, '00000000-0000-0000-0000-000000000000') AND x.id >= (SELECT w.since FROM wanted AS w) AND x.id < (SELECT w.until FROM wanted AS w)
        ORDER BY x.id
        LIMIT $14::integer
    ) AS x
    JOIN tickets AS t ON t.id = x.id
    WHERE x.text LIKE ALL ((SELECT w.patterns FROM wanted AS w)::text[])
        AND NOT x.text LIKE ANY ((SELECT w.excluded FROM wanted AS w)::text[])
        AND t.category = ANY ($2::ticket_category[])
        AND t.priority = ANY ($3::ticket_priority[])
        AND t.status = ANY ($4::ticket_status[])
        AND t.updated_at >= coalesce($7::timestamptz, '-infinity')
        AND t.updated_at < coalesce($8::timestamptz, 'infinity')
    ORDER BY x.id
    LIMIT $1::integer
),
horizon AS MATERIALIZED ( -- the last of those looked at; none: the page is full, or there are no more tickets
    SELECT x.id
    FROM ticket_texts AS x
    WHERE x.id > coalesce($9::uuid, '00000000-0000-0000-0000-000000000000') AND x.id >= (SELECT w.since FROM wanted AS w) AND x.id < (SELECT w.until FROM wanted AS w)
        AND (SELECT count(*) FROM near) < $1::integer
    ORDER BY x.id
    OFFSET $14::integer - 1
    LIMIT 1
),
few AS MATERIALIZED (
    SELECT head.id, head.updated_at
    FROM horizon
    CROSS JOIN unnest($2::ticket_category[]) AS c
    CROSS JOIN unnest($3::ticket_priority[]) AS p
    CROSS JOIN unnest($4::ticket_status[]) AS s
    CROSS JOIN LATERAL (
        SELECT t.id, t.updated_at
        FROM tickets AS t
        WHERE t.category = c AND t.priority = p AND t.status = s
            AND t.id > horizon.id AND t.id < (SELECT w.until FROM wanted AS w)
        LIMIT $15::integer
    ) AS head
    LIMIT $15::integer
),
of_few AS MATERIALIZED (
    SELECT few.id
    FROM few
    CROSS JOIN LATERAL (SELECT x.text FROM ticket_texts AS x WHERE x.id = few.id OFFSET 0) AS x -- by the key
    WHERE (SELECT count(*) FROM few) < $15::integer
        AND x.text LIKE ALL ((SELECT w.patterns FROM wanted AS w)::text[])
        AND NOT x.text LIKE ANY ((SELECT w.excluded FROM wanted AS w)::text[])
        AND few.updated_at >= coalesce($7::timestamptz, '-infinity')
        AND few.updated_at < coalesce($8::timestamptz, 'infinity')
    ORDER BY few.id
    LIMIT $1::integer
),
sample AS MATERIALIZED ( -- hits in the last of the weeks that are left and in three others, counted until they are many
    SELECT (
        SELECT count(*)
        FROM (
            SELECT
            FROM (SELECT x.week FROM ticket_texts AS x WHERE x.id < (SELECT w.until FROM wanted AS w) ORDER BY x.id DESC LIMIT 1) AS last
            CROSS JOIN generate_series(4, 1, -1) AS part
            CROSS JOIN LATERAL (
                SELECT
                FROM ticket_texts AS x
                WHERE x.week = ticket_week(horizon.id) + (last.week - ticket_week(horizon.id)) * part / 4
                    AND x.text LIKE coalesce((SELECT w.indexed[1] FROM wanted AS w), '%')
                    AND x.text LIKE coalesce((SELECT w.indexed[2] FROM wanted AS w), '%')
                    AND x.text LIKE coalesce((SELECT w.indexed[3] FROM wanted AS w), '%')
                    AND x.text LIKE coalesce((SELECT w.indexed[4] FROM wanted AS w), '%')
                    AND x.text ~ (SELECT w.regex FROM wanted AS w)
                OFFSET 0
            ) AS hit
            LIMIT $16::integer + 1
        ) AS found
    ) AS hits
    FROM horizon
    WHERE (SELECT count(*) FROM few) >= $15::integer
),
far AS MATERIALIZED (
    SELECT hit.id
    FROM horizon
    CROSS JOIN LATERAL (
        SELECT x.id
        FROM ticket_texts AS x
        WHERE (SELECT sample.hits <= $16::integer FROM sample)
            AND x.text LIKE coalesce((SELECT w.indexed[1] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[2] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[3] FROM wanted AS w), '%')
            AND x.text LIKE coalesce((SELECT w.indexed[4] FROM wanted AS w), '%')
            AND x.text ~ (SELECT w.regex FROM wanted AS w)
            AND x.text LIKE ALL ((SELECT w.patterns FROM wanted AS w)::text[])
            AND NOT x.text LIKE ANY ((SELECT w.excluded FROM wanted AS w)::text[])
        OFFSET 0
    ) AS hit
    JOIN tickets AS t ON t.id = hit.id
    WHERE hit.id > horizon.id AND hit.id < (SELECT w.until FROM wanted AS w)
        AND t.category = ANY ($2::ticket_category[])
        AND t.priority = ANY ($3::ticket_priority[])
        AND t.status = ANY ($4::ticket_status[])
        AND t.updated_at >= coalesce($7::timestamptz, '-infinity')
        AND t.updated_at < coalesce($8::timestamptz, 'infinity')
    ORDER BY hit.id
    LIMIT $1::integer
),
walk (week, ids, found) AS (
    SELECT ticket_week(horizon.id) - 1, '{}'::uuid[], (SELECT count(*) FROM near)
    FROM horizon
    WHERE (SELECT sample.hits > $16::integer FROM sample)
    UNION ALL
    SELECT step.week, step.ids, walk.found + cardinality(step.ids)
    FROM walk
    CROSS JOIN horizon
    CROSS JOIN LATERAL (
        SELECT next.week, CASE
            WHEN cardinality(known.hits) <= $17::integer THEN ARRAY(
                SELECT hit.id
                FROM unnest(known.hits) AS hit (id)
                JOIN tickets AS t ON t.id = hit.id
                WHERE hit.id > horizon.id AND hit.id < (SELECT w.until FROM wanted AS w)
                    AND t.category = ANY ($2::ticket_category[])
                    AND t.priority = ANY ($3::ticket_priority[])
                    AND t.status = ANY ($4::ticket_status[])
                    AND t.updated_at >= coalesce($7::timestamptz, '-infinity')
                    AND t.updated_at < coalesce($8::timestamptz, 'infinity')
                ORDER BY hit.id
                LIMIT $1::integer
            )
            ELSE ARRAY(
                SELECT hit.id
                FROM (
                    SELECT x.id
                    FROM ticket_texts AS x
                    WHERE x.id >= ticket_week_floor(next.week) AND x.id < ticket_week_floor(next.week + 1)
                        AND x.text LIKE ALL ((SELECT w.patterns FROM wanted AS w)::text[])
                        AND NOT x.text LIKE ANY ((SELECT w.excluded FROM wanted AS w)::text[])
                    ORDER BY x.id
                    OFFSET 0
                ) AS hit
                JOIN tickets AS t ON t.id = hit.id
                WHERE hit.id > horizon.id AND hit.id < (SELECT w.until FROM wanted AS w)
                    AND t.category = ANY ($2::ticket_category[])
                    AND t.priority = ANY ($3::ticket_priority[])
                    AND t.status = ANY ($4::ticket_status[])
                    AND t.updated_at >= coalesce($7::timestamptz, '-infinity')
                    AND t.updated_at < coalesce($8::timestamptz, 'infinity')
                ORDER BY hit.id
                LIMIT $1::integer
            )
        END AS ids
        FROM (
            SELECT x.week
            FROM ticket_texts AS x
            WHERE x.id >= greatest(horizon.id, ticket_week_floor(walk.week + 1)) AND x.id < (SELECT w.until FROM wanted AS w)
            ORDER BY x.id
            LIMIT 1
        ) AS next
        CROSS JOIN LATERAL (
            SELECT CASE WHEN $16::integer >= 0 THEN ARRAY(
                SELECT x.id
                FROM ticket_texts AS x
                WHERE x.week = next.week
                    AND x.text LIKE coalesce((SELECT w.indexed[1] FROM wanted AS w), '%')
                    AND x.text LIKE coalesce((SELECT w.indexed[2] FROM wanted AS w), '%')
                    AND x.text LIKE coalesce((SELECT w.indexed[3] FROM wanted AS w), '%')
                    AND x.text LIKE coalesce((SELECT w.indexed[4] FROM wanted AS w), '%')
                    AND x.text ~ (SELECT w.regex FROM wanted AS w)
                    AND x.text LIKE ALL ((SELECT w.patterns FROM wanted AS w)::text[])
                    AND NOT x.text LIKE ANY ((SELECT w.excluded FROM wanted AS w)::text[])
                LIMIT $17::integer + 1
            ) END AS hits
            OFFSET 0
        ) AS known
        OFFSET 0
    ) AS step
    WHERE walk.found < $1::integer
)
SELECT (SELECT ticket_json(t) FROM tickets AS t WHERE t.id = page.id), page.id
FROM (
    SELECT near.id FROM near
    UNION ALL
    SELECT of_few.id FROM of_few
    UNION ALL
    SELECT far.id FROM far
    UNION ALL
    SELECT unnest(walk.ids) FROM walk
    ORDER BY 1
    LIMIT $1::integer
) AS page
ORDER BY page.id
