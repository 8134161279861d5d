-- Adds a comment as create.sql does, unless a request with the same idempotency key has done so before.
-- One row, or none if there is no such ticket: the outcome (created, replayed, mismatched, running, unmet), the comment and
-- its id for the first two, and for unmet the version of the ticket. The record has no text, only the version that the
-- comment made: when the comment is deleted, `replayed` has none. How the key is claimed: tickets/create_idempotent.sql.
-- Retry: safe
-- Position: after
-- $1 ticket_id
-- $2 only: only one of these versions of the ticket is commented on; NULL means any
-- $3 never: none of these versions is commented on; NULL means all
-- $4 body: already trimmed
-- $5 author
-- $6 internal
-- $7 status: the new status of the ticket; NULL means no change
-- $8 editor: who makes the change: the request id, a space, the name of the API key
-- $9 key_hash: a hash of the idempotency key and its owner
-- $10 body_hash: a hash of the ticket and the body
WITH earlier AS (
    SELECT k.body_hash, k.response, k.ticket_id
    FROM idempotency_records AS k
    WHERE k.key_hash = $9::uuid AND NOT (/* include: expired_record */ true)
),
claim AS MATERIALIZED (
    SELECT
        pg_try_advisory_xact_lock(uuid_hash_extended($9::uuid, 'idempotency_records'::regclass::oid::bigint)) AS is_ours,
        uuid_v7(now()) AS id,
        now() AS at
    WHERE NOT EXISTS (SELECT FROM earlier)
),
expired AS (
    DELETE FROM idempotency_records AS k
    USING claim
    WHERE claim.is_ours AND k.key_hash = $9::uuid AND /* include: expired_record */ true
    RETURNING k.key_hash
),
changed AS (
    UPDATE tickets AS t
    SET status = coalesce($7::ticket_status, t.status),
        version = t.version + 1,
        updated_at = greatest(now(), t.updated_at),
        first_response_at = /* include: first_response */ NULL
    FROM claim AS comment
    WHERE t.id = $1::uuid AND comment.is_ours
        AND ($2::integer[] IS NULL OR t.version = ANY ($2::integer[]))
        AND t.version <> ALL ($3::integer[])
    RETURNING t.version, t.updated_at, comment.id,
        note_change('ticketsvc.author', $8::text, t.id),
        note_change(
            'ticketsvc.comment', comment_note('commented', t.id, t.version, comment.id, $5::text, $6::boolean), t.id
        )
),
added AS (
    INSERT INTO comments AS c (ticket_id, version, id, created_at, author, internal, body, search_text)
    SELECT $1::uuid, version, id, updated_at, $5::text, $6::boolean, $4::text, comment_text($4::text)
    FROM changed
    RETURNING comment_json(c) AS json, c.id, c.version
),
kept AS (
    SELECT t.version
    FROM tickets AS t
    WHERE t.id = $1::uuid AND (SELECT is_ours FROM claim) AND NOT EXISTS (SELECT FROM changed)
    FOR UPDATE
),
remembered AS (
    INSERT INTO idempotency_records (key_hash, body_hash, ticket_id, response)
    SELECT $9::uuid, $10::uuid, $1::uuid, added.version::text
    FROM added
    CROSS JOIN (SELECT count(*) FROM expired) AS deleted -- before the insert
)
SELECT 'created' AS outcome, json, id, version FROM added
UNION ALL
SELECT CASE WHEN earlier.body_hash = $10::uuid THEN 'replayed' ELSE 'mismatched' END, comment_json(ROW(c.*)::comments), c.id, NULL
FROM earlier
LEFT JOIN comments AS c
    ON earlier.body_hash = $10::uuid AND c.ticket_id = earlier.ticket_id AND c.version::text = earlier.response
UNION ALL
SELECT 'running', NULL, NULL, NULL FROM claim WHERE NOT is_ours
UNION ALL
SELECT 'unmet', NULL, NULL, version FROM kept
