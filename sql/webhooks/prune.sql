-- Deletes deliveries that ended and were created more than a week ago. Returns how many there were, at most 5,000.
-- Retry: safe
WITH oldest AS MATERIALIZED (
    SELECT d.number
    FROM webhook_deliveries AS d
    WHERE d.next_attempt_at IS NULL AND d.created_at < now() - interval '7 days'
    ORDER BY d.created_at
    LIMIT 5000
    FOR UPDATE SKIP LOCKED
),
pruned AS (
    DELETE FROM webhook_deliveries AS d
    USING oldest
    WHERE d.number = oldest.number
    RETURNING d.number
)
SELECT count(*) FROM pruned
