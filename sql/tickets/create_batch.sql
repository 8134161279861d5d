-- Stores several new tickets and returns a row for each, in their order, as create_idempotent.sql does for one. Those without
-- an idempotency key are stored in any case. A key occurs once.
-- A microsecond lies between the times of two tickets, so that the order of their ids is that of the input. The ids are made
-- before the insertion, because RETURNING promises no order.
-- A wait for another transaction ends soon: each ticket is then stored by itself, and waits alone.
-- Every parameter is an array with an element for each ticket; their meanings are those of create_idempotent.sql.
-- Position: after
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
-- $16 key_hash: NULL means none
-- $17 body_hash
WITH input AS MATERIALIZED (
    SELECT e.*, uuid_v7(e.at) AS id
    FROM (
        SELECT u.*, now() + (u.place - 1) * '1 microsecond'::interval AS at
        FROM unnest(
            $1::text[], $2::text[], $3::ticket_category[], $4::ticket_priority[],
            $5::ticket_category[], $6::real[], $7::ticket_priority[], $8::real[], $9::text[],
            $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::jsonb[], $16::uuid[], $17::uuid[]
        ) WITH ORDINALITY AS u (
            title, description, category, priority,
            suggested_category, category_confidence, suggested_priority, priority_confidence, suggested_by,
            created_by, created_request, requester, assignee, tags, metadata, key_hash, body_hash, place
        )
    ) AS e
),
earlier AS MATERIALIZED (
    SELECT k.key_hash, k.body_hash, k.response, k.ticket_id
    FROM idempotency_records AS k
    WHERE k.key_hash = ANY ($16::uuid[]) AND NOT (/* include: expired_record */ true)
),
claim AS MATERIALIZED (
    SELECT e.place, e.key_hash,
        e.key_hash IS NULL OR pg_try_advisory_xact_lock(
            uuid_hash_extended(e.key_hash, 'idempotency_records'::regclass::oid::bigint)
        ) AS is_ours
    FROM input AS e
    WHERE NOT EXISTS (SELECT FROM earlier WHERE earlier.key_hash = e.key_hash)
),
expired AS (
    DELETE FROM idempotency_records AS k
    USING claim
    WHERE claim.is_ours AND k.key_hash = claim.key_hash AND /* include: expired_record */ true
    RETURNING k.key_hash
),
created AS (
    INSERT INTO tickets AS t (
        id, created_at, updated_at, title, description, category, priority,
        suggested_category, category_confidence, suggested_priority, priority_confidence, suggested_by,
        created_by, created_request, requester, assignee, tags, metadata
    )
    SELECT
        e.id, e.at, e.at, e.title, e.description, e.category, e.priority,
        e.suggested_category, e.category_confidence, e.suggested_priority, e.priority_confidence, e.suggested_by,
        e.created_by, e.created_request, e.requester, e.assignee, e.tags::text[], metadata_merge(NULL, e.metadata)
    FROM input AS e
    JOIN claim USING (place)
    CROSS JOIN (SELECT /* include: short_lock_timeout */ true) AS setting
    WHERE claim.is_ours
    ORDER BY e.place
    RETURNING ticket_json(t) AS ticket, t.id
),
remembered AS (
    INSERT INTO idempotency_records (key_hash, body_hash, ticket_id, response)
    SELECT e.key_hash, e.body_hash, created.id, created.ticket
    FROM created
    JOIN input AS e USING (id)
    CROSS JOIN (SELECT count(*) FROM expired) AS deleted -- before the insert
    WHERE e.key_hash IS NOT NULL
)
SELECT
    CASE
        WHEN created.id IS NOT NULL THEN 'created'
        WHEN earlier.key_hash IS NULL THEN 'running'
        WHEN earlier.body_hash = e.body_hash THEN 'replayed'
        ELSE 'mismatched'
    END AS outcome,
    coalesce(created.ticket, earlier.response),
    coalesce(created.id, earlier.ticket_id)
FROM input AS e
LEFT JOIN created USING (id)
LEFT JOIN earlier ON earlier.key_hash = e.key_hash
ORDER BY e.place
