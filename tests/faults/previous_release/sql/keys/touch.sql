-- Records that a key is used now, unless another does at this moment.
-- $1 name
UPDATE api_keys AS k
SET last_used_at = now()
WHERE k.name = (SELECT same.name FROM api_keys AS same WHERE same.name = $1::text FOR UPDATE SKIP LOCKED)
