-- Returns all keys by name, with the times of creation, last use (to the minute) and revocation; NULL means never.
-- Retry: safe
SELECT k.name, k.scope, k.public_only, rfc3339(k.created_at), rfc3339(k.last_used_at), rfc3339(k.revoked_at)
FROM api_keys AS k
ORDER BY k.name
