-- Returns the webhooks as JSON, oldest first.
-- Retry: safe
-- $1 without_internal: whether to leave out those that get internal comments
SELECT webhook_json(w)
FROM webhooks AS w
WHERE w.public_only OR NOT $1::boolean
ORDER BY w.created_at, w.id
