-- Table: the hits in four weeks, spread over those from `ends.first_week` to `ends.last_week`, at most one more than are few.
-- $1 rare_hits: how many hits are few
(
    SELECT
    FROM ends
    CROSS JOIN generate_series(4, 1, -1) AS part
    CROSS JOIN LATERAL (
        SELECT
        FROM ticket_texts AS x
        WHERE x.week = ends.first_week + (ends.last_week - ends.first_week) * part / 4
            AND /* include: text_index */ true
        OFFSET 0
    ) AS hit
    LIMIT $1::integer + 1
)
