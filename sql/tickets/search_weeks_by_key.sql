-- Returns the matches that the index by text finds, last changed first, at most a page. Looks into the index one week of
-- creation at a time, the newest first, and keeps the best page so far: of the weeks that follow, only tickets that were changed
-- later than its last one matter. In a week with many hits these are read in order instead, until the page is full.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 after_id: the id of the last ticket scanned
-- $3 after_key: its updated_at
-- $4 max_week_hits: how many hits of a week are fetched from the index
WITH RECURSIVE weekly_matches (week_end, ids, keys) AS (
    SELECT 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, '{}'::uuid[], '{}'::timestamptz[]
    UNION ALL
    SELECT ticket_week_floor(next.week), best.ids, best.keys
    FROM weekly_matches AS previous
    CROSS JOIN LATERAL (
        SELECT t.week
        FROM ticket_texts AS t
        WHERE t.id < previous.week_end
            AND /* include: created */ true
        ORDER BY t.id DESC
        LIMIT 1
    ) AS next
    CROSS JOIN LATERAL (
        SELECT ARRAY(
            SELECT x.id
            FROM ticket_texts AS x
            WHERE x.week = next.week
                AND /* include: text_index */ true
                AND /* include: text */ true
            LIMIT $4::integer + 1
        ) AS ids
        OFFSET 0
    ) AS hits
    CROSS JOIN LATERAL (
        SELECT array_agg(match.id ORDER BY match.key DESC, match.id DESC) AS ids,
            array_agg(match.key ORDER BY match.key DESC, match.id DESC) AS keys
        FROM (
            SELECT found.id, found.key
            FROM (
                SELECT unnest(previous.ids) AS id, unnest(previous.keys) AS key
                UNION ALL
                SELECT t.id, t.updated_at
                FROM unnest(hits.ids) AS x (id)
                CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = x.id OFFSET 0) AS t
                WHERE cardinality(hits.ids) <= $4::integer
                    AND (t.updated_at, t.id) < ($3::timestamptz, $2::uuid)
                    AND t.updated_at >= coalesce(previous.keys[$1::integer], '-infinity')
                    AND /* include: filters */ true
                UNION ALL
                SELECT busy.id, busy.key
                FROM (
                    SELECT t.id, t.updated_at AS key
                    FROM (
                        SELECT head.id, head.key
                        FROM /* include: facet_combinations */ tickets AS facets
                        CROSS JOIN LATERAL (
                            SELECT t.id, t.updated_at AS key
                            FROM tickets AS t
                            WHERE /* include: combination */ true
                                AND t.id >= ticket_week_floor(next.week)
                                AND t.id < ticket_week_floor(next.week + 1)
                                AND t.updated_at >= coalesce(previous.keys[$1::integer], '-infinity')
                                AND (t.updated_at, t.id) < ($3::timestamptz, $2::uuid)
                            OFFSET 0
                        ) AS head
                        WHERE cardinality(hits.ids) > $4::integer
                        ORDER BY head.key DESC, head.id DESC
                        OFFSET 0
                    ) AS head
                    CROSS JOIN LATERAL (SELECT x.id, x.text FROM ticket_texts AS x WHERE x.id = head.id OFFSET 0) AS x
                    CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = head.id OFFSET 0) AS t
                    WHERE /* include: text */ true
                        AND /* include: filters */ true
                    ORDER BY head.key DESC, head.id DESC
                    LIMIT $1::integer
                ) AS busy
            ) AS found
            ORDER BY found.key DESC, found.id DESC
            LIMIT $1::integer
        ) AS match
        OFFSET 0
    ) AS best
)
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = page.id), page.id, page.key
FROM (SELECT w.ids, w.keys FROM weekly_matches AS w ORDER BY w.week_end LIMIT 1) AS last
CROSS JOIN LATERAL unnest(last.ids, last.keys) AS page (id, key)
ORDER BY page.key DESC, page.id DESC
