-- All keys, by name: the scope, and when it was made, last used (to the minute) and revoked; no text: never.
SELECT k.name, k.scope, rfc3339(k.created_at), rfc3339(k.last_used_at), rfc3339(k.revoked_at)
FROM api_keys AS k
ORDER BY k.name
