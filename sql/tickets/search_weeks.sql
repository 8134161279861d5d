-- Returns the matches in order of creation, newest first, at most a page. Looks into the index by text one week at a time
-- until the page is full. A week with many hits is read in order instead: a part of it fills the page. As `urgent` it does the
-- same for one priority, which is the third column.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 after_id: the id of the last ticket scanned
-- $3 max_week_hits: how many hits of a week are fetched from the index
WITH RECURSIVE weekly_matches (week_end, ids, found) AS (
    SELECT $2::uuid, '{}'::uuid[], 0
    UNION ALL
    SELECT
        ticket_week_floor(next.week + /* oldest: 1 */ 0),
        matches.ids,
        previous.found + cardinality(matches.ids)
    FROM weekly_matches AS previous
    CROSS JOIN LATERAL (
        SELECT t.week
        FROM ticket_texts AS t
        WHERE t.id /* oldest: >= */ < previous.week_end
            AND /* include: created */ true
        ORDER BY t.id /* oldest: ASC */ DESC
        LIMIT 1
    ) AS next
    CROSS JOIN LATERAL (
        SELECT ARRAY(
            SELECT x.id
            FROM ticket_texts AS x
            WHERE x.week = next.week
                AND /* include: text_index */ true
                AND /* include: text */ true
            LIMIT $3::integer + 1
        ) AS ids
        OFFSET 0
    ) AS hits
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN cardinality(hits.ids) <= $3::integer THEN ARRAY(
                SELECT t.id
                FROM unnest(hits.ids) AS x (id)
                CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = x.id OFFSET 0) AS t
                WHERE t.id /* oldest: > */ < $2::uuid
                    AND /* include: filters */ true
                ORDER BY t.id /* oldest: ASC */ DESC
                LIMIT $1::integer
            )
            ELSE ARRAY(
                SELECT t.id
                FROM (
                    SELECT x.id
                    FROM ticket_texts AS x
                    WHERE x.id >= ticket_week_floor(next.week) AND x.id < ticket_week_floor(next.week + 1)
                        AND /* include: text */ true
                    ORDER BY x.id /* oldest: ASC */ DESC
                    OFFSET 0
                ) AS x
                CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = x.id OFFSET 0) AS t
                WHERE t.id /* oldest: > */ < $2::uuid
                    AND /* include: filters */ true
                ORDER BY x.id /* oldest: ASC */ DESC
                LIMIT $1::integer
            )
        END AS ids
        OFFSET 0
    ) AS matches
    WHERE previous.found < $1::integer
)
SELECT
    (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = page.id),
    page.id,
    /* urgent: (SELECT t.priority FROM tickets AS t WHERE t.id = page.id) */ NULL
FROM (SELECT unnest(ids) FROM weekly_matches ORDER BY 1 /* oldest: ASC */ DESC LIMIT $1::integer) AS page (id)
ORDER BY page.id /* oldest: ASC */ DESC
