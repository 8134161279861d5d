-- Gives a webhook another secret, and returns it as JSON. The one before stays valid for 24 hours: both sign.
-- $1 id
-- $2 without_internal: whether to hide the webhook if it gets internal comments
-- $3 secret: in base64
UPDATE webhooks AS w
SET secret = decode($3::text, 'base64'),
    previous_secret = w.secret,
    previous_secret_until = now() + interval '24 hours'
WHERE w.id = $1::uuid AND (w.public_only OR NOT $2::boolean)
RETURNING webhook_json(w)
