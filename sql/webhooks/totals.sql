-- Returns how many webhooks are healthy, failing and disabled, how many deliveries have succeeded and attempts failed, how
-- many deliveries to enabled webhooks are to be attempted, and how many seconds the oldest has waited, or the oldest event
-- for which there may be one.
-- Retry: safe
SELECT
    count(*) FILTER (WHERE w.disabled_at IS NULL AND w.failures = 0) AS healthy,
    count(*) FILTER (WHERE w.disabled_at IS NULL AND w.failures > 0) AS failing,
    count(*) FILTER (WHERE w.disabled_at IS NOT NULL) AS disabled,
    coalesce(sum(w.delivered_total), 0)::bigint AS delivered_total,
    coalesce(sum(w.failed_total), 0)::bigint AS failed_total,
    coalesce(sum(waiting.pending), 0)::bigint AS pending,
    coalesce(extract(epoch FROM now() - least(min(waiting.oldest), min(unseen.published_at))), 0)::float8 AS oldest_seconds
FROM webhooks AS w
LEFT JOIN LATERAL (
    SELECT count(*) AS pending, min(d.created_at) AS oldest
    FROM webhook_deliveries AS d
    WHERE d.webhook_id = w.id AND d.next_attempt_at IS NOT NULL
) AS waiting ON w.disabled_at IS NULL
LEFT JOIN LATERAL (
    SELECT e.published_at FROM events AS e WHERE e.seq > w.seq ORDER BY e.seq LIMIT 1
) AS unseen ON w.disabled_at IS NULL
