-- Returns a webhook as JSON.
-- Retry: safe
-- $1 id
-- $2 without_internal: whether to hide it if it gets internal comments
SELECT webhook_json(w)
FROM webhooks AS w
WHERE w.id = $1::uuid AND (w.public_only OR NOT $2::boolean)
