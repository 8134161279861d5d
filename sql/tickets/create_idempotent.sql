-- Stores a new ticket and returns it, unless a create with the same idempotency key has done so before.
-- One row: the outcome (created, replayed, mismatched, running), and for the first two the response to the create.
-- Of two concurrent creates with one key the later one finds the advisory lock taken. When the earlier one committed
-- after the later one's snapshot, the later one violates idempotency_keys_pkey: nothing is stored, and a retry finds the
-- record. A record that is older than 24 hours does not count; prune_idempotency_records.sql deletes it, if nothing has
-- done so before.
-- Retry: safe
-- Position: after
-- $1 title: already trimmed
-- $2 description: already trimmed
-- $3 category
-- $4 priority
-- $5 suggested_category: NULL in this and the following when the client gave the label
-- $6 category_confidence: from 0 to 1
-- $7 suggested_priority
-- $8 priority_confidence: from 0 to 1
-- $9 suggested_by: the name of the classifier; NULL when nothing was suggested
-- $10 created_by: the name of the client's API key; NULL when keys are not required
-- $11 created_request: the request id
-- $12 key_hash: a hash of the idempotency key and its owner
-- $13 body_hash: a hash of the body
-- $14 requester
-- $15 assignee
-- $16 tags: sorted, each once; NULL means none
-- $17 metadata: members that are null are left out; NULL means none
WITH earlier AS (
    SELECT k.body_hash, k.response, k.ticket_id
    FROM idempotency_records AS k
    WHERE k.key_hash = $12::uuid AND NOT (/* include: expired_record */ true)
),
claim AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(uuid_hash_extended($12::uuid, 'idempotency_records'::regclass::oid::bigint)) AS is_ours
    WHERE NOT EXISTS (SELECT FROM earlier)
),
expired AS (
    DELETE FROM idempotency_records AS k
    USING claim
    WHERE claim.is_ours AND k.key_hash = $12::uuid AND /* include: expired_record */ true
    RETURNING k.key_hash
),
created AS (
    INSERT INTO tickets AS t (
        id, created_at, updated_at, title, description, category, priority,
        suggested_category, category_confidence, suggested_priority, priority_confidence, suggested_by,
        created_by, created_request, requester, assignee, tags, metadata
    )
    SELECT
        uuid_v7(now()), now(), now(), $1::text, $2::text, $3::ticket_category, $4::ticket_priority,
        $5::ticket_category, $6::real, $7::ticket_priority, $8::real, $9::text,
        $10::text, $11::text, $14::text, $15::text, $16::text[], metadata_merge(NULL, $17::jsonb)
    FROM claim
    WHERE claim.is_ours
    RETURNING ticket_json(t) AS ticket, t.id
),
remembered AS (
    INSERT INTO idempotency_records (key_hash, body_hash, ticket_id, response)
    SELECT $12::uuid, $13::uuid, created.id, created.ticket
    FROM created
    CROSS JOIN (SELECT count(*) FROM expired) AS deleted -- before the insert
)
SELECT 'created' AS outcome, ticket, id FROM created
UNION ALL
SELECT CASE WHEN body_hash = $13::uuid THEN 'replayed' ELSE 'mismatched' END, response, ticket_id FROM earlier
UNION ALL
SELECT 'running', NULL, NULL FROM claim WHERE NOT is_ours
