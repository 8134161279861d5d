-- Registers a webhook and returns it as JSON. NULL: its events are gone (is_gone), or there are too many webhooks.
-- $1 url
-- $2 types: NULL means all
-- $3 filters: a query string
-- $4 public_only: whether internal comments are hidden
-- $5 secret: in base64
-- $6 created_by: the name of the API key, or NULL
-- $7 generation: of the id of the last event that it does not get
-- $8 seq: of that event
-- $9 maximum: of webhooks
WITH start AS MATERIALIZED (
    SELECT event_seq($7::text, $8::bigint) AS seq
),
added AS (
    INSERT INTO webhooks AS w (url, types, filters, public_only, secret, created_by, seq)
    SELECT $1::text, $2::text[], $3::text, $4::boolean, decode($5::text, 'base64'), $6::text, start.seq
    FROM start
    WHERE start.seq IS NOT NULL AND (SELECT count(*) FROM webhooks) < $9::integer
    RETURNING w.id, webhook_json(w) AS json
)
SELECT added.json, added.id, start.seq IS NULL AS is_gone
FROM start
LEFT JOIN added ON true
