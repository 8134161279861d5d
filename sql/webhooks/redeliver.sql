-- Makes a delivery due, whatever became of it, and returns it as JSON; not one that is being attempted, nor one of a
-- webhook that is disabled. No row: there is no such delivery.
-- $1 webhook_id
-- $2 without_internal: whether to hide the webhook if it gets internal comments
-- $3 id
WITH found AS MATERIALIZED (
    SELECT d.number, d.state, w.id AS webhook_id, w.disabled_at IS NOT NULL AS is_disabled
    FROM webhooks AS w
    JOIN webhook_deliveries AS d ON d.webhook_id = w.id
    WHERE w.id = $1::uuid AND (w.public_only OR NOT $2::boolean) AND d.id = $3::text
    FOR UPDATE
),
repeated AS (
    UPDATE webhook_deliveries AS d
    SET state = 'pending', attempts = 0, started_at = NULL, next_attempt_at = now()
    FROM found
    WHERE d.number = found.number AND found.state <> 'sending' AND NOT found.is_disabled
    RETURNING d.number, d AS delivery
),
hastened AS (
    UPDATE webhooks AS w
    SET next_attempt_at = now()
    FROM found
    WHERE w.id = found.webhook_id AND NOT found.is_disabled
    RETURNING w.id
)
SELECT coalesce(delivery_json(repeated.delivery), delivery_json(d)) AS json, found.is_disabled
FROM found
JOIN webhook_deliveries AS d ON d.number = found.number
LEFT JOIN repeated ON repeated.number = found.number
CROSS JOIN (SELECT count(*) FROM hastened) AS done
