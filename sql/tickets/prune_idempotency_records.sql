-- Deletes at most 1,000 idempotency records that are older than 24 hours, and returns how many there were. A record has
-- the text of its ticket, which may have been deleted since. Skips records that another process is deleting. By ctid,
-- because a join by key would read the whole table.
-- Retry: safe
WITH pruned AS (
    DELETE FROM idempotency_records AS k
    WHERE k.ctid = ANY (ARRAY(
        SELECT old.ctid
        FROM idempotency_records AS old
        WHERE old.created_at < now() - '24 hours'::interval
        ORDER BY old.created_at
        LIMIT 1000
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING k.key_hash
)
SELECT count(*) FROM pruned
