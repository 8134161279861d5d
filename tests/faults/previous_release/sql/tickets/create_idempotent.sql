-- Stores a new ticket and answers it, unless this was done before with the same idempotency key.
-- One row: the outcome (created, replayed, mismatched, running), and for the first two the answer of the create.
-- Of two at once the later one finds the lock taken, or, when the earlier one committed after this statement's view of
-- the data was made, breaks idempotency_keys_pkey: then nothing is stored, and running it again finds the answer.
-- Two rows to prune, by their ctid: for more, or by key, the plan made while the table is small reads all of it.
-- $1 title: already trimmed
-- $2 description: already trimmed
-- $3 category
-- $4 priority
-- $5 suggested_category: NULL in this and the following where the caller gave the label
-- $6 category_confidence: from 0 to 1
-- $7 suggested_priority
-- $8 priority_confidence: from 0 to 1
-- $9 suggested_by: the name of the classifier; NULL when nothing was suggested
-- $10 created_by: the name of the caller's key; NULL: keys are not asked for
-- $11 created_request: the request id
-- $12 key: a hash of the idempotency key and its owner
-- $13 fingerprint: a hash of the body
WITH earlier AS (
    SELECT k.fingerprint, k.answer, k.ticket_id
    FROM idempotency_keys AS k
    WHERE k.key = $12::uuid
),
claim AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(uuid_hash_extended($12::uuid, 0)) AS is_ours
    WHERE NOT EXISTS (SELECT FROM earlier)
),
created AS (
    INSERT INTO tickets (
        id, created_at, updated_at, title, description, category, priority,
        suggested_category, category_confidence, suggested_priority, priority_confidence, suggested_by,
        created_by, created_request
    )
    SELECT
        uuid_v7(now()), now(), now(), $1::text, $2::text, $3::ticket_category, $4::ticket_priority,
        $5::ticket_category, $6::real, $7::ticket_priority, $8::real, $9::text,
        $10::text, $11::text
    FROM claim
    WHERE claim.is_ours
    RETURNING ticket_json(tickets) AS ticket, id
),
remembered AS (
    INSERT INTO idempotency_keys (key, fingerprint, ticket_id, answer)
    SELECT $12::uuid, $13::uuid, created.id, created.ticket FROM created
),
pruned AS (
    DELETE FROM idempotency_keys AS k
    USING (
        SELECT old.ctid
        FROM idempotency_keys AS old
        WHERE old.created_at < now() - '24 hours'::interval
        ORDER BY old.created_at
        LIMIT 2
        FOR UPDATE SKIP LOCKED
    ) AS old
    WHERE k.ctid = old.ctid AND EXISTS (SELECT FROM created)
)
SELECT 'created' AS outcome, ticket, id FROM created
UNION ALL
SELECT CASE WHEN fingerprint = $13::uuid THEN 'replayed' ELSE 'mismatched' END, answer, ticket_id FROM earlier
UNION ALL
SELECT 'running', NULL, NULL FROM claim WHERE NOT is_ours
