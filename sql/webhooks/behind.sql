-- Returns the enabled webhooks for which events have not been looked at, with their filters. Those with many deliveries to
-- attempt wait: the feed keeps their events.
-- Retry: safe
-- $1 max_pending: how many deliveries to attempt are many
SELECT w.id, w.filters, w.public_only
FROM webhooks AS w
WHERE w.disabled_at IS NULL
    AND w.seq < (SELECT max(e.seq) FROM events AS e)
    AND $1::integer > (
        SELECT count(*)
        FROM (
            SELECT FROM webhook_deliveries AS d WHERE d.webhook_id = w.id AND d.next_attempt_at IS NOT NULL LIMIT $1::integer
        ) AS pending
    )
