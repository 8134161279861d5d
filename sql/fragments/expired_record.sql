-- Condition: the idempotency record `k` is older than the 24 hours for which responses are repeated.
k.created_at < now() - '24 hours'::interval
