-- The key with this hash, unless it was revoked, and whether its last use was recorded more than a minute ago.
-- $1 hash: SHA-256, in hexadecimal digits
SELECT k.name, k.scope, coalesce(k.last_used_at < now() - '1 minute'::interval, true) AS is_use_due
FROM api_keys AS k
WHERE k.hash = decode($1::text, 'hex') AND k.revoked_at IS NULL
