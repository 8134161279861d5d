-- Stores a key. No row when the name is or was in use.
-- $1 name
-- $2 scope
-- $3 hash: SHA-256, in hexadecimal digits
-- $4 public_only: whether it is limited to public comments
INSERT INTO api_keys (name, scope, hash, public_only)
VALUES ($1::text, $2::api_scope, decode($3::text, 'hex'), $4::boolean)
ON CONFLICT (name) DO NOTHING
RETURNING name
