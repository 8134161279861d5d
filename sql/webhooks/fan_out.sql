-- Creates the deliveries of the next events to a webhook, unless another session does or its filters are others by now.
-- Returns how many events were looked at, how many of them are to be delivered, and how many had been pruned before.
-- The filters apply to the ticket as it is now. That of a deleted ticket is not known, so everybody learns of a deletion;
-- its earlier events are no longer delivered if there are filters.
-- $1 webhook_id
-- $2 query_string: from which the filters were parsed
-- $3 limit: how many events to look at
WITH webhook AS MATERIALIZED (
    SELECT w.id, w.seq, w.types, w.public_only
    FROM webhooks AS w
    WHERE w.id = $1::uuid AND w.filters = $2::text AND w.disabled_at IS NULL
    FOR UPDATE SKIP LOCKED
),
next AS MATERIALIZED (
    SELECT e.seq, e.ticket_id, e.entry, event_type((visible_entry(h, webhook.public_only)).event) AS type
    FROM webhook
    CROSS JOIN LATERAL (
        SELECT * FROM events AS later WHERE later.seq > webhook.seq ORDER BY later.seq LIMIT $3::integer
    ) AS e
    LEFT JOIN LATERAL event_entry(e.ticket_id, e.entry) AS h ON true
),
added AS (
    INSERT INTO webhook_deliveries (webhook_id, event_id, type, ticket_id, entry)
    SELECT webhook.id, event_id(next.seq), next.type, next.ticket_id, next.entry
    FROM next
    CROSS JOIN webhook
    WHERE (webhook.types IS NULL OR next.type = ANY (webhook.types))
        AND next.type IS NOT NULL
        AND (next.type = 'ticket.deleted' OR $2::text = '' OR EXISTS (
            SELECT
            FROM tickets AS t
            JOIN ticket_texts AS x ON x.id = t.id
            WHERE t.id = next.ticket_id
                AND /* include: filters */ true
                AND /* include: text */ true
        ))
    ORDER BY next.seq
    RETURNING number
),
moved AS (
    UPDATE webhooks AS w
    SET seq = (SELECT max(next.seq) FROM next)
    FROM webhook
    WHERE w.id = webhook.id AND EXISTS (SELECT FROM next)
    RETURNING w.id
)
SELECT
    (SELECT count(*) FROM next) AS events,
    (SELECT count(*) FROM added) AS added,
    coalesce((SELECT min(next.seq) FROM next) - 1 - (SELECT webhook.seq FROM webhook), 0) AS pruned
FROM (SELECT count(*) FROM moved) AS done
