-- Returns the matches among the next tickets of each combination of facets, last changed first or, as `urgent`, most urgent
-- first, at most a page. If more tickets follow, a last row without JSON has the position up to which no match is missing.
-- The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee. A ticket can have
-- several attributes.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 scan_limit: how many tickets of each combination to scan
WITH heads AS MATERIALIZED (
    SELECT head.id, head.key, head.place
    FROM /* include: facet_combinations */ tickets AS facets
    CROSS JOIN LATERAL (
        SELECT t.id, /* urgent: t.priority */ t.updated_at AS key,
            row_number() OVER (ORDER BY /* urgent: t.priority */ t.updated_at DESC, t.id DESC) AS place
        FROM /* attributes: ticket_attributes */ tickets AS t
        WHERE /* include: combination */ true
            AND /* include: head_behind */ true
            AND /* include: created */ true
            AND /* include: updated_if_any */ true
        ORDER BY key DESC, id DESC
        LIMIT $2::integer
    ) AS head
),
scan_end AS MATERIALIZED ( -- where the first head ends: behind it, tickets of that combination are missing
    SELECT id, key FROM heads WHERE place = $2::integer ORDER BY key DESC, id DESC LIMIT 1
),
matches AS (
    SELECT /* include: ticket_or_size */ t AS json, head.id, head.key
    FROM (
        SELECT /* attributes: DISTINCT id */ id, key
        FROM heads
        WHERE ((key, id) >= (SELECT key, id FROM scan_end)) IS NOT FALSE
        ORDER BY key DESC, id DESC
        OFFSET 0 -- so that the limit ends the search
    ) AS head
    CROSS JOIN LATERAL (SELECT x.id, x.text FROM ticket_texts AS x WHERE x.id = head.id OFFSET 0) AS x
    CROSS JOIN LATERAL (SELECT t.* FROM tickets AS t WHERE t.id = head.id OFFSET 0) AS t
    WHERE /* include: text */ true
        AND /* include: people */ true
    ORDER BY head.key DESC, head.id DESC
    LIMIT $1::integer
)
SELECT json, id, key FROM matches
UNION ALL
SELECT NULL, id, key FROM scan_end
