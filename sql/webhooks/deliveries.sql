-- Returns a page of the deliveries of a webhook as JSON, newest first, and the number of each. One row of NULLs: there is
-- none. No row: there is no such webhook.
-- Retry: safe
-- $1 id: of the webhook
-- $2 without_internal: whether to hide it if it gets internal comments
-- $3 before_number: of the last delivery of the previous page; NULL for the first page
-- $4 states: those to return
-- $5 limit
SELECT delivery_json(page.delivery), page.number
FROM webhooks AS w
LEFT JOIN LATERAL (
    SELECT d.number, d AS delivery
    FROM webhook_deliveries AS d
    WHERE d.webhook_id = w.id
        AND d.number < coalesce($3::bigint, 9223372036854775807)
        AND d.state = ANY ($4::delivery_state[])
    ORDER BY d.number DESC
    LIMIT $5::integer
) AS page ON true
WHERE w.id = $1::uuid AND (w.public_only OR NOT $2::boolean)
ORDER BY page.number DESC
