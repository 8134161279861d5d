-- Table: the ids and keys of the first tickets of all combinations of facets, in the order of the list: their heads, merged. Of
-- each combination a short head is read along an index, and more only of those whose short head ends within the result. There
-- are few of them: of 64 combinations, seven in a list of 50 tickets, which would read 3,200 otherwise.
-- The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee. A ticket can have
-- several attributes.
(
    WITH starts AS MATERIALIZED (
        SELECT facets.*, head.id, head.key, head.place
        FROM /* include: facet_combinations */ tickets AS facets
        CROSS JOIN LATERAL (
            SELECT id, key, row_number() OVER (ORDER BY /* include: in_order */ id) AS place
            FROM (
                SELECT t.id, /* include: key */ t.updated_at AS key
                FROM /* attributes: ticket_attributes */ tickets AS t
                WHERE /* include: combination */ true
                    AND /* include: head_behind */ true
                    AND /* include: created */ true
                    AND /* include: rest */ true
                ORDER BY /* include: in_order */ id
                LIMIT /* include: heads_limit */ 1 / 8 + 1
            ) AS head
        ) AS head
    ),
    starts_end AS MATERIALIZED ( -- behind it, no ticket is in the result
        SELECT /* attributes: DISTINCT id */ id, key
        FROM starts
        ORDER BY /* include: in_order */ id
        OFFSET /* include: heads_limit */ 1 - 1
        LIMIT 1
    ),
    more AS (
        SELECT head.id, head.key
        FROM starts AS facets
        CROSS JOIN LATERAL (
            SELECT t.id, /* include: key */ t.updated_at AS key
            FROM /* attributes: ticket_attributes */ tickets AS t
            WHERE /* include: combination */ true
                AND /* include: after_start */ true
                AND /* include: created */ true
                AND /* include: rest */ true
            ORDER BY /* include: in_order */ id
            LIMIT /* include: heads_limit */ 1
        ) AS head
        WHERE facets.place = /* include: heads_limit */ 1 / 8 + 1
            AND ((facets.key, facets.id) /* oldest: < */ > (SELECT key, id FROM starts_end)) IS NOT FALSE
    )
    SELECT /* attributes: DISTINCT head.id */ head.id, head.key
    FROM (SELECT id, key FROM starts UNION ALL SELECT id, key FROM more) AS head
    ORDER BY /* include: in_order */ id
    LIMIT /* include: heads_limit */ 1
)
