-- Returns the matches in the order of the list, at most a page. Looks into the index by text one week of creation at a time and
-- keeps the best page so far, until it is full; as `urgent`, for one priority. By last change all weeks are looked at, the newest
-- first: of those that follow, only tickets that were changed later than the last one of the page matter. A week with many hits
-- is read in order instead: a part of it fills the page.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 after_id: the id of the last ticket of the previous page or step
-- $3 max_week_hits: how many hits of a week are fetched from the index
WITH RECURSIVE pages (week_end, ids, keys) AS (
    SELECT
        /* updated: 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid */ $2::uuid,
        '{}'::uuid[],
        ARRAY(SELECT /* include: key */ t.updated_at FROM tickets AS t WHERE false)
    UNION ALL
    SELECT ticket_week_floor(next.week + /* oldest: 1 */ 0), best.ids, best.keys
    FROM pages AS page
    CROSS JOIN LATERAL (
        SELECT t.week
        FROM ticket_texts AS t
        WHERE t.id /* oldest: >= */ < page.week_end
            AND (/* updated: true */ false OR coalesce(cardinality(page.ids), 0) < $1::integer)
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
        SELECT array_agg(id ORDER BY /* include: in_order */ id) AS ids,
            array_agg(key ORDER BY /* include: in_order */ id) AS keys
        FROM (
            SELECT id, key FROM unnest(page.ids, page.keys) AS found (id, key)
            UNION ALL
            SELECT t.id, /* include: key */ t.updated_at
            FROM unnest(hits.ids) AS x (id)
            CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = x.id OFFSET 0) AS t
            WHERE cardinality(hits.ids) <= $3::integer
                AND (/* updated: t.updated_at */ NULL >= page.keys[$1::integer]) IS NOT FALSE
                AND /* include: behind */ true
                AND /* include: filters */ true
            UNION ALL
            SELECT id, key
            FROM /* include: busy_week */ tickets AS busy (id, key)
            WHERE cardinality(hits.ids) > $3::integer
            ORDER BY /* include: in_order */ id
            LIMIT $1::integer
        ) AS match
        OFFSET 0
    ) AS best
)
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = found.id), found.id, found.key
FROM (SELECT ids, keys FROM pages ORDER BY week_end /* oldest: DESC */ ASC LIMIT 1) AS page
CROSS JOIN LATERAL unnest(page.ids, page.keys) AS found (id, key)
ORDER BY /* include: in_order */ id
