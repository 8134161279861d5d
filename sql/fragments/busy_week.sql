-- Table: the ids and keys of the first matches of the week `next`, at most a page. Its texts are read in order until it is full.
-- $1 limit
(
    SELECT t.id, /* include: key */ t.updated_at AS key
    FROM (
        SELECT x.id
        FROM ticket_texts AS x
        WHERE x.id >= ticket_week_floor(next.week) AND x.id < ticket_week_floor(next.week + 1)
            AND /* include: text */ true
        ORDER BY x.id /* oldest: ASC */ DESC
        OFFSET 0
    ) AS x
    CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = x.id OFFSET 0) AS t
    WHERE /* include: behind */ true
        AND /* include: filters */ true
    ORDER BY x.id /* oldest: ASC */ DESC
    LIMIT $1::integer
)
