-- Deletes at most 1,000 idempotency records that are older than 24 hours, and returns how many there were. A record has
-- the text of its ticket, which may have been deleted since. Skips records that another process is deleting. By ctid,
-- because a join by key would read the whole table.
-- Retry: safe
WITH pruned AS (
    DELETE FROM idempotency_records AS record
    WHERE record.ctid = ANY (ARRAY(
        SELECT k.ctid
        FROM idempotency_records AS k
        WHERE /* include: expired_record */ true
        ORDER BY k.created_at
        LIMIT 1000
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING record.key_hash
)
SELECT count(*) FROM pruned
