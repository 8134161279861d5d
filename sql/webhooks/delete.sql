-- Deletes a webhook with its deliveries. No row when there is none.
-- $1 id
-- $2 without_internal: whether to hide it if it gets internal comments
DELETE FROM webhooks AS w
WHERE w.id = $1::uuid AND (w.public_only OR NOT $2::boolean)
RETURNING w.id
