-- Table: the ids and keys of the first matches of the week `next`, at most a page. Its tickets are read in order until it is full:
-- only those that were changed later than the last one of the best `page` so far, if that is full. The position is compared
-- here, not by the fragment behind: a bound of updated_at alone would make the index by last change look better than the week.
-- $1 limit
-- $2 after_key: updated_at of the last ticket of the previous page or step
-- $3 after_id: its id
(
    SELECT head.id, head.key
    FROM (
        SELECT head.id, head.key
        FROM /* include: facet_combinations */ tickets AS facets
        CROSS JOIN LATERAL (
            SELECT t.id, t.updated_at AS key
            FROM tickets AS t
            WHERE /* include: combination */ true
                AND t.id >= ticket_week_floor(next.week) AND t.id < ticket_week_floor(next.week + 1)
                AND t.updated_at >= coalesce(page.keys[$1::integer], '-infinity')
                AND (t.updated_at, t.id) < ($2::timestamptz, $3::uuid)
            OFFSET 0
        ) AS head
        ORDER BY /* include: in_order */ id
        OFFSET 0
    ) AS head
    CROSS JOIN LATERAL (SELECT x.id, x.text FROM ticket_texts AS x WHERE x.id = head.id OFFSET 0) AS x
    CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = head.id OFFSET 0) AS t
    WHERE /* include: text */ true
        AND /* include: filters */ true
    ORDER BY /* include: in_order */ id
    LIMIT $1::integer
)
