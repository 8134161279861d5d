-- A page of the tickets with the given facets and text, most urgent first, then newest first.
-- AT TIME ZONE keeps the planner from the index by updated_at: it expects few rows between two times it does not know.
-- The tickets next in order are looked at one by one, batch after batch, each merged from the heads of the combinations
-- of facets: that fills the page of a common word. What then is missing is taken from the index by text, and sorted.
-- $1 limit
-- $2 categories: the values allowed
-- $3 priorities: the values allowed
-- $4 statuses: the values allowed
-- $5 created_since: inclusive; NULL: any
-- $6 created_before: exclusive; NULL: any
-- $7 updated_since: inclusive; NULL: any
-- $8 updated_before: exclusive; NULL: any
-- $9 after_id: the id of the last ticket of the page before; NULL: the first page
-- $10 after_key: its priority
-- $11 search_patterns: for LIKE, in any letter case; all must match
-- $12 excluded_patterns: none may match
-- $13 index_patterns: those of search_patterns to look up in the index, at most four
-- $14 index_regex: another condition for the index, true of every text that matches search_patterns; '': none
-- $15 near: how many tickets of each combination of facets the first batch has; each later one has twice as many
-- $16 batches: after so many the index is asked
WITH RECURSIVE wanted AS MATERIALIZED (
    SELECT lower($11::text)::text[] AS patterns,
        lower($12::text)::text[] AS excluded,
        lower($13::text)::text[] AS indexed,
        lower($14::text) AS regex,
        greatest(uuid_v7_floor($5::timestamptz), '00000000-0000-0000-0000-000000000000') AS since,
        least(uuid_v7_floor($6::timestamptz), 'ffffffff-ffff-ffff-ffff-ffffffffffff') AS until
),
walk (batches, priority, id, ids, found) AS (
    SELECT 0,
        coalesce($10::ticket_priority, 'critical'),
        coalesce($9::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
        '{}'::uuid[],
        0
    UNION ALL
    SELECT walk.batches + 1, batch.priority, batch.id, batch.ids, walk.found + cardinality(batch.ids)
    FROM walk
    CROSS JOIN LATERAL (
        WITH head AS MATERIALIZED (
            SELECT head.id, head.priority, head.place
            FROM unnest($2::ticket_category[]) AS c
            CROSS JOIN unnest($3::ticket_priority[]) AS p
            CROSS JOIN unnest($4::ticket_status[]) AS s
            CROSS JOIN LATERAL (
                SELECT t.id, t.priority, row_number() OVER (ORDER BY t.id DESC) AS place
                FROM tickets AS t
                WHERE t.category = c AND t.priority = p AND t.status = s
                    AND p <= walk.priority
                    AND t.id < least(CASE p WHEN walk.priority THEN walk.id END, (SELECT w.until FROM wanted AS w))
                    AND t.id >= (SELECT w.since FROM wanted AS w)
                    AND t.updated_at AT TIME ZONE 'UTC' >= coalesce($7::timestamptz, '-infinity') AT TIME ZONE 'UTC'
                    AND t.updated_at AT TIME ZONE 'UTC' < coalesce($8::timestamptz, 'infinity') AT TIME ZONE 'UTC'
                ORDER BY t.id DESC
                LIMIT $15::integer << least(walk.batches, 5)
            ) AS head
        ),
        edge AS MATERIALIZED ( -- what is behind may be missing: a head was cut off here
            SELECT head.id, head.priority
            FROM head
            WHERE head.place = $15::integer << least(walk.batches, 5)
            ORDER BY head.priority DESC, head.id DESC
            LIMIT 1
        ),
        hit AS MATERIALIZED (
            SELECT head.id, head.priority
            FROM head
            CROSS JOIN LATERAL (SELECT x.text FROM ticket_texts AS x WHERE x.id = head.id OFFSET 0) AS x -- by the key
            WHERE NOT (head.priority, head.id) < (SELECT edge.priority, edge.id FROM edge) IS TRUE
                AND x.text LIKE ALL ((SELECT w.patterns FROM wanted AS w)::text[])
                AND NOT x.text LIKE ANY ((SELECT w.excluded FROM wanted AS w)::text[])
        )
        SELECT edge.id, edge.priority,
            ARRAY(SELECT hit.id FROM hit ORDER BY hit.priority DESC, hit.id DESC LIMIT $1::integer) AS ids
        FROM (SELECT) AS one
        LEFT JOIN edge ON true
        OFFSET 0
    ) AS batch
    WHERE walk.found < $1::integer AND walk.batches < $16::integer AND walk.id IS NOT NULL
),
horizon AS MATERIALIZED ( -- the last of those looked at; none: the page is full, or there are no more tickets
    SELECT walk.id, walk.priority
    FROM walk
    WHERE walk.batches = $16::integer AND walk.found < $1::integer AND walk.id IS NOT NULL
),
far AS MATERIALIZED (
    SELECT t.id
    FROM horizon
    CROSS JOIN LATERAL (
        SELECT x.id
        FROM ticket_texts AS x
        WHERE (SELECT count(*) FROM horizon) > 0
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
    WHERE t.category = ANY ($2::ticket_category[])
        AND t.priority = ANY ($3::ticket_priority[])
        AND t.status = ANY ($4::ticket_status[])
        AND (t.priority, t.id) < (horizon.priority, horizon.id)
        AND t.updated_at >= coalesce($7::timestamptz, '-infinity')
        AND t.updated_at < coalesce($8::timestamptz, 'infinity')
        AND t.id >= (SELECT w.since FROM wanted AS w)
        AND t.id < (SELECT w.until FROM wanted AS w)
    ORDER BY t.priority DESC, t.id DESC
    LIMIT $1::integer
)
SELECT ticket_json(t), t.id, t.priority
FROM tickets AS t
WHERE t.id = ANY (ARRAY(
    SELECT unnest(walk.ids) FROM walk
    UNION ALL
    SELECT far.id FROM far
))
ORDER BY t.priority DESC, t.id DESC
LIMIT $1::integer
