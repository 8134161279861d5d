-- Revokes a key; no row: there is none with this name that is not revoked already.
-- $1 name
UPDATE api_keys AS k
SET revoked_at = now()
WHERE k.name = $1::text AND k.revoked_at IS NULL
RETURNING k.name
