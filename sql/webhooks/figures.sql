-- Returns for each webhook its state (healthy, failing or disabled), how many deliveries have succeeded and attempts failed,
-- and if it is enabled, how many deliveries are to be attempted, and how many seconds the oldest has waited, or the oldest
-- event for which there may be one.
-- Retry: safe
SELECT
    w.id,
    CASE WHEN w.disabled_at IS NOT NULL THEN 'disabled' WHEN w.failures > 0 THEN 'failing' ELSE 'healthy' END AS state,
    w.delivered_total,
    w.failed_total,
    coalesce(waiting.pending, 0) AS pending,
    coalesce(extract(epoch FROM now() - least(waiting.oldest, unseen.at)), 0)::float8 AS oldest_seconds
FROM webhooks AS w
LEFT JOIN LATERAL (
    SELECT count(*) AS pending, min(d.created_at) AS oldest
    FROM webhook_deliveries AS d
    WHERE d.webhook_id = w.id AND d.next_attempt_at IS NOT NULL
) AS waiting ON w.disabled_at IS NULL
LEFT JOIN LATERAL (
    SELECT e.at FROM events AS e WHERE e.seq > w.seq ORDER BY e.seq LIMIT 1
) AS unseen ON w.disabled_at IS NULL
