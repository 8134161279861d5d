-- Returns a page of the tickets that were created within a window and match the filters, last changed first: all of the window
-- are read along the index by id, and sorted. The index by last change has them anywhere, in the worst case at its end. If
-- the window has too many tickets, returns a row without JSON.
-- The variants `attributes` and `unassigned` read only tickets that have an attribute, or no assignee. A ticket can have
-- several attributes.
-- Retry: safe
-- Cost: high
-- $1 limit
-- $2 after_key: updated_at of the last ticket of the previous page
-- $3 after_id: its id
-- $4 window_limit: how many tickets are too many
WITH listed AS MATERIALIZED (
    SELECT head.id, head.updated_at
    FROM /* include: facet_combinations */ tickets AS facets
    CROSS JOIN LATERAL (
        SELECT t.id, t.updated_at
        FROM /* attributes: ticket_attributes */ tickets AS t
        WHERE /* include: combination */ true
            AND /* include: created */ true
        LIMIT $4::integer
    ) AS head
    LIMIT $4::integer
),
matches AS (
    SELECT t.id, t.updated_at
    FROM (
        SELECT /* attributes: DISTINCT id */ id, updated_at
        FROM listed
        WHERE (updated_at, id) < ($2::timestamptz, $3::uuid) AND (SELECT count(*) FROM listed) < $4::integer
        ORDER BY updated_at DESC, id DESC
        OFFSET 0
    ) AS t
    WHERE /* include: rest */ true
    ORDER BY t.updated_at DESC, t.id DESC
    LIMIT $1::integer
)
SELECT (SELECT /* include: ticket_or_size */ t FROM tickets AS t WHERE t.id = matches.id), id, updated_at FROM matches
UNION ALL
SELECT NULL, NULL, NULL FROM listed HAVING count(*) = $4::integer
