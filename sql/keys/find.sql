-- Returns the key with this hash unless it is revoked, and whether its last use was recorded more than a minute ago.
-- Retry: safe
-- $1 hash: SHA-256, in hexadecimal digits
SELECT k.name, k.scope, coalesce(k.last_used_at < now() - '1 minute'::interval, true) AS needs_touch, k.public_only
FROM api_keys AS k
WHERE k.hash = decode($1::text, 'hex') AND k.revoked_at IS NULL
