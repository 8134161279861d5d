-- Records the result of an attempt, unless its lease has ended and it is being repeated. Returns the state of the delivery,
-- and why the webhook has been disabled by it, if it has.
-- An attempt that fails three days after the first one, of the delivery or of all since the last success, is the last.
-- After a success what had to wait because of the receiver is due.
-- Retry: safe
-- $1 id: of the delivery
-- $2 attempts: which attempt it was
-- $3 status: of the response, or NULL
-- $4 error: what failed; NULL means that it succeeded
-- $5 duration_ms
-- $6 retry_after: how many seconds the receiver wants to be left alone at least, or NULL
-- $7 is_gone: whether the receiver wants nothing more
-- $8 is_skipped: whether nothing was sent, because the event is gone
WITH attempt AS MATERIALIZED (
    SELECT
        w.id AS webhook_id,
        w.failures,
        w.failing_since,
        CASE
            WHEN $8::boolean THEN 'skipped'
            WHEN $4::text IS NULL THEN 'delivered'
            WHEN $7::boolean OR least(w.failing_since, d.started_at) < now() - interval '3 days' THEN 'failed'
            ELSE 'pending'
        END::delivery_state AS state,
        now() + coalesce($6::integer, 0) * interval '1 s' AS not_before,
        now() + retry_pause(d.attempts) AS retry_at,
        now() + retry_pause(w.failures - 1) AS resume_at,
        now() AS at
    FROM webhooks AS w
    JOIN webhook_deliveries AS d ON d.webhook_id = w.id
    WHERE d.id = $1::text AND d.attempts = $2::integer AND d.state = 'sending'
    FOR UPDATE
),
recorded AS (
    UPDATE webhook_deliveries AS d
    SET state = attempt.state,
        next_attempt_at = CASE attempt.state
            WHEN 'pending' THEN greatest(attempt.retry_at, attempt.not_before)
        END,
        last_attempt_at = now(),
        last_status = $3::integer,
        last_error = $4::text,
        last_duration_ms = $5::integer
    FROM attempt
    WHERE d.id = $1::text
    RETURNING d.number
),
released AS (
    UPDATE webhook_deliveries AS d
    SET next_attempt_at = now()
    FROM attempt
    WHERE attempt.state = 'delivered'
        AND is_failing(attempt.failures)
        AND d.webhook_id = attempt.webhook_id
        AND d.next_attempt_at > now()
        AND d.state = 'pending'
    RETURNING d.number
),
counted AS (
    UPDATE webhooks AS w
    SET failures = CASE attempt.state WHEN 'delivered' THEN 0 ELSE w.failures + 1 END,
        failing_since = CASE WHEN attempt.state <> 'delivered' THEN coalesce(w.failing_since, attempt.at) END,
        next_attempt_at = CASE
            WHEN attempt.state = 'delivered' THEN attempt.at
            WHEN is_failing(w.failures + 1) THEN greatest(attempt.resume_at, attempt.not_before)
            ELSE greatest(w.next_attempt_at, attempt.not_before)
        END,
        disabled_at = CASE WHEN attempt.state = 'failed' THEN coalesce(w.disabled_at, attempt.at) ELSE w.disabled_at END,
        disabled_reason = CASE
            WHEN attempt.state = 'failed' THEN coalesce(w.disabled_reason, CASE
                WHEN $7::boolean THEN 'The receiver responded 410 Gone.'
                ELSE 'Deliveries have failed for three days.'
            END)
            ELSE w.disabled_reason
        END,
        delivered_total = w.delivered_total + (attempt.state = 'delivered')::integer,
        failed_total = w.failed_total + (attempt.state <> 'delivered')::integer
    FROM attempt
    WHERE w.id = attempt.webhook_id AND attempt.state <> 'skipped'
    RETURNING CASE WHEN attempt.state = 'failed' THEN w.disabled_reason END AS disabled_reason
)
SELECT attempt.state, (SELECT counted.disabled_reason FROM counted) AS disabled_reason
FROM attempt
CROSS JOIN (SELECT count(*) FROM recorded) AS delivery
CROSS JOIN (SELECT count(*) FROM released) AS others
