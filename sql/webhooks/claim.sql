-- Takes deliveries that are due (claim_deliveries), and returns for each where and what to send, signed with which secrets.
-- The body is the event as in the feed, and its time under the name that receivers expect. NULL: the event is gone.
-- $1 max_sending: the maximum number of deliveries of a webhook that are under way
-- $2 lease: after how many seconds an attempt without a result is repeated
SELECT
    d.id,
    d.webhook_id,
    d.attempts,
    w.url,
    encode(w.secret, 'base64') AS secret,
    CASE WHEN w.previous_secret_until > now() THEN encode(w.previous_secret, 'base64') END AS previous_secret,
    '{"timestamp":"' || rfc3339((visible.entry).at) || '",' || substr(event_json(d.event_id, visible.entry, c.body), 2) AS body
FROM claim_deliveries($1::integer, $2::integer * interval '1 s') AS d
JOIN webhooks AS w ON w.id = d.webhook_id
LEFT JOIN LATERAL event_entry(d.ticket_id, d.entry) AS h ON true
LEFT JOIN LATERAL (SELECT visible_entry(h, w.public_only) AS entry OFFSET 0) AS visible ON true
LEFT JOIN comments AS c ON c.id = ((visible.entry).comment ->> 'id')::uuid
