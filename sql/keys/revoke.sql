-- Revokes a key. No row when no valid key has this name.
-- $1 name
UPDATE api_keys AS k
SET revoked_at = now()
WHERE k.name = $1::text AND k.revoked_at IS NULL
RETURNING k.name
