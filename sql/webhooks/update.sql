-- Changes a webhook and returns it as JSON. NULL: the events after the given one are gone. No row: there is no such webhook.
-- A webhook that is enabled again continues where it was: what is pending is due, as if nothing had been attempted. One
-- that is to continue elsewhere skips what is pending.
-- $1 id
-- $2 without_internal: whether to hide it if it gets internal comments
-- $3 url: NULL in this and the following ones means no change
-- $4 has_types: whether the types are set
-- $5 types: NULL means all
-- $6 filters: a query string
-- $7 enabled
-- $8 is_moved: whether it continues elsewhere
-- $9 generation: of the id of the last event that it does not get then
-- $10 seq: of that event
WITH found AS MATERIALIZED (
    SELECT
        w.id,
        now() AS at,
        coalesce($7::boolean AND w.disabled_at IS NOT NULL, false) AS is_enabled_again,
        CASE WHEN $8::boolean THEN event_seq($9::text, $10::bigint) ELSE w.seq END AS seq
    FROM webhooks AS w
    WHERE w.id = $1::uuid AND (w.public_only OR NOT $2::boolean)
    FOR UPDATE
),
rescheduled AS (
    UPDATE webhook_deliveries AS d
    SET state = CASE WHEN $8::boolean THEN 'skipped' ELSE 'pending' END::delivery_state,
        next_attempt_at = CASE WHEN NOT $8::boolean THEN found.at END,
        attempts = 0,
        started_at = NULL
    FROM found
    WHERE d.webhook_id = found.id
        AND d.next_attempt_at IS NOT NULL
        AND d.state = 'pending'
        AND (found.is_enabled_again OR $8::boolean)
        AND found.seq IS NOT NULL
    RETURNING d.number
),
changed AS (
    UPDATE webhooks AS w
    SET url = coalesce($3::text, w.url),
        types = CASE WHEN $4::boolean THEN $5::text[] ELSE w.types END,
        filters = coalesce($6::text, w.filters),
        seq = found.seq,
        disabled_at = CASE
            WHEN $7::boolean THEN NULL
            WHEN NOT $7::boolean THEN coalesce(w.disabled_at, found.at)
            ELSE w.disabled_at
        END,
        disabled_reason = CASE
            WHEN $7::boolean THEN NULL
            WHEN NOT $7::boolean THEN coalesce(w.disabled_reason, 'Disabled by a request.')
            ELSE w.disabled_reason
        END,
        failures = CASE WHEN found.is_enabled_again THEN 0 ELSE w.failures END,
        failing_since = CASE WHEN NOT found.is_enabled_again THEN w.failing_since END,
        next_attempt_at = CASE WHEN found.is_enabled_again THEN found.at ELSE w.next_attempt_at END
    FROM found
    WHERE w.id = found.id AND found.seq IS NOT NULL
    RETURNING w.id, w AS webhook
)
SELECT webhook_json(changed.webhook)
FROM found
LEFT JOIN changed ON true
CROSS JOIN (SELECT count(*) FROM rescheduled) AS done
