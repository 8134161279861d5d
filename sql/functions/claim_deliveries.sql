-- Takes deliveries that are due and returns them, for this session to attempt them. An attempt whose result is not recorded within
-- the lease counts as lost, and is repeated. No webhook has more than max_sending deliveries under way, in all processes,
-- because its row is locked and each statement has a new snapshot: a receiver that hangs takes nothing from others.
CREATE OR REPLACE FUNCTION claim_deliveries(max_sending integer, lease interval) RETURNS SETOF webhook_deliveries
    LANGUAGE plpgsql AS $$
DECLARE
    webhook webhooks;
BEGIN
    FOR webhook IN
        SELECT w.*
        FROM webhooks AS w
        WHERE w.disabled_at IS NULL
            AND w.next_attempt_at <= now()
            AND EXISTS (
                SELECT FROM webhook_deliveries AS d WHERE d.webhook_id = w.id AND d.next_attempt_at <= now() OFFSET 0
            )
        FOR UPDATE OF w SKIP LOCKED
    LOOP
        RETURN QUERY
        UPDATE webhook_deliveries AS d
        SET state = 'sending',
            attempts = d.attempts + 1,
            started_at = coalesce(d.started_at, now()),
            next_attempt_at = now() + lease
        WHERE d.number = ANY (ARRAY(
            SELECT due.number
            FROM webhook_deliveries AS due
            WHERE due.webhook_id = webhook.id AND due.next_attempt_at <= now()
            ORDER BY due.next_attempt_at, due.number
            LIMIT greatest(0, CASE WHEN is_failing(webhook.failures) THEN 1 ELSE max_sending END - (
                SELECT count(*)
                FROM webhook_deliveries AS other
                WHERE other.webhook_id = webhook.id AND other.next_attempt_at > now() AND other.state = 'sending'
            ))
        ))
        RETURNING d.*;
    END LOOP;
END $$;
