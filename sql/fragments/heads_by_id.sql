-- Table: the ids of the first tickets of all combinations of facets, newest first: their heads, merged. Of each combination a
-- short head is read along an index, and more only of those whose short head ends within the result. There are few of
-- them: of 64 combinations, seven in a list of 50 tickets, which would read 3,200 otherwise.
-- The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee. A ticket can have
-- several attributes.
-- $1 after_id: the id of the last ticket of the previous page
(
    WITH starts AS MATERIALIZED (
        SELECT facets.*, head.id, head.place
        FROM /* include: facet_combinations */ tickets AS facets
        CROSS JOIN LATERAL (
            SELECT t.id, row_number() OVER (ORDER BY t.id /* oldest: ASC */ DESC) AS place
            FROM /* attributes: ticket_attributes */ tickets AS t
            WHERE /* include: combination */ true
                AND t.id /* oldest: > */ < $1::uuid
                AND /* include: created */ true
                AND /* include: rest */ true
            ORDER BY t.id /* oldest: ASC */ DESC
            LIMIT /* include: heads_limit */ 1 / 8 + 1
        ) AS head
    ),
    starts_end AS MATERIALIZED ( -- behind it, no ticket is in the result
        SELECT /* attributes: DISTINCT id */ id
        FROM starts
        ORDER BY id /* oldest: ASC */ DESC
        OFFSET /* include: heads_limit */ 1 - 1
        LIMIT 1
    ),
    more AS (
        SELECT head.id
        FROM starts AS facets
        CROSS JOIN LATERAL (
            SELECT t.id
            FROM /* attributes: ticket_attributes */ tickets AS t
            WHERE /* include: combination */ true
                AND t.id /* oldest: > */ < facets.id
                AND /* include: created */ true
                AND /* include: rest */ true
            ORDER BY t.id /* oldest: ASC */ DESC
            LIMIT /* include: heads_limit */ 1
        ) AS head
        WHERE facets.place = /* include: heads_limit */ 1 / 8 + 1
            AND (facets.id /* oldest: < */ > (SELECT id FROM starts_end)) IS NOT FALSE
    )
    SELECT /* attributes: DISTINCT head.id */ head.id
    FROM (SELECT id FROM starts UNION ALL SELECT id FROM more) AS head
    ORDER BY head.id /* oldest: ASC */ DESC
    LIMIT /* include: heads_limit */ 1
)
