-- Stores several new tickets and returns a row for each, in their order, as create.sql does for one.
-- A microsecond lies between the times of two tickets, so that the order of their ids is that of the input. The ids are made
-- before the insertion, because RETURNING promises no order.
-- A wait for another transaction ends soon: each ticket is then stored by itself, and waits alone.
-- Every parameter is an array with an element for each ticket; their meanings are those of create.sql.
-- $1 title
-- $2 description
-- $3 category
-- $4 priority
-- $5 suggested_category
-- $6 category_confidence
-- $7 suggested_priority
-- $8 priority_confidence
-- $9 suggested_by
-- $10 created_by
-- $11 created_request
-- $12 requester
-- $13 assignee
-- $14 tags: the texts of arrays
-- $15 metadata
WITH input AS MATERIALIZED (
    SELECT e.*, uuid_v7(e.at) AS id
    FROM (
        SELECT u.*, now() + (u.place - 1) * '1 microsecond'::interval AS at
        FROM unnest(
            $1::text[], $2::text[], $3::ticket_category[], $4::ticket_priority[],
            $5::ticket_category[], $6::real[], $7::ticket_priority[], $8::real[], $9::text[],
            $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::jsonb[]
        ) WITH ORDINALITY AS u (
            title, description, category, priority,
            suggested_category, category_confidence, suggested_priority, priority_confidence, suggested_by,
            created_by, created_request, requester, assignee, tags, metadata, place
        )
    ) AS e
),
created AS (
    INSERT INTO tickets (
        id, created_at, updated_at, title, description, category, priority,
        suggested_category, category_confidence, suggested_priority, priority_confidence, suggested_by,
        created_by, created_request, requester, assignee, tags, metadata
    )
    SELECT
        e.id, e.at, e.at, e.title, e.description, e.category, e.priority,
        e.suggested_category, e.category_confidence, e.suggested_priority, e.priority_confidence, e.suggested_by,
        e.created_by, e.created_request, e.requester, e.assignee, e.tags::text[], metadata_merge(NULL, e.metadata)
    FROM input AS e
    CROSS JOIN (SELECT /* include: short_lock_timeout */ true) AS setting
    ORDER BY e.place
    RETURNING ticket_json(tickets) AS ticket, id
)
SELECT 'created' AS outcome, created.ticket, created.id
FROM input
JOIN created USING (id)
ORDER BY input.place
