-- Table: the ids and keys of the first tickets of all combinations of facets, last changed first or, as `urgent`, most urgent
-- first, then newest first: their heads, merged as in heads_by_id.sql.
-- The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee. A ticket can have
-- several attributes.
(
    WITH starts AS MATERIALIZED (
        SELECT facets.*, head.id, head.key, head.place
        FROM /* include: facet_combinations */ tickets AS facets
        CROSS JOIN LATERAL (
            SELECT t.id, /* urgent: t.priority */ t.updated_at AS key,
                row_number() OVER (ORDER BY /* urgent: t.priority */ t.updated_at DESC, t.id DESC) AS place
            FROM /* attributes: ticket_attributes */ tickets AS t
            WHERE /* include: combination */ true
                AND /* include: after_key */ true
                AND /* include: created */ true
                AND /* include: rest */ true
            ORDER BY key DESC, t.id DESC
            LIMIT /* include: heads_limit */ 1 / 8 + 1
        ) AS head
    ),
    starts_end AS MATERIALIZED ( -- behind it, no ticket is in the result
        SELECT /* attributes: DISTINCT id */ id, key
        FROM starts
        ORDER BY key DESC, id DESC
        OFFSET /* include: heads_limit */ 1 - 1
        LIMIT 1
    ),
    more AS (
        SELECT head.id, head.key
        FROM starts AS facets
        CROSS JOIN LATERAL (
            SELECT t.id, /* urgent: t.priority */ t.updated_at AS key
            FROM /* attributes: ticket_attributes */ tickets AS t
            WHERE /* include: combination */ true
                AND /* include: after_start */ true
                AND /* include: created */ true
                AND /* include: rest */ true
            ORDER BY key DESC, t.id DESC
            LIMIT /* include: heads_limit */ 1
        ) AS head
        WHERE facets.place = /* include: heads_limit */ 1 / 8 + 1
            AND ((facets.key, facets.id) > (SELECT key, id FROM starts_end)) IS NOT FALSE
    )
    SELECT /* attributes: DISTINCT head.id */ head.id, head.key
    FROM (SELECT id, key FROM starts UNION ALL SELECT id, key FROM more) AS head
    ORDER BY head.key DESC, head.id DESC
    LIMIT /* include: heads_limit */ 1
)
