-- Returns a webhook as JSON, as clients see it: without its secret.
-- depends: event_id, is_failing, rfc3339
CREATE OR REPLACE FUNCTION webhook_json(w webhooks) RETURNS text
    LANGUAGE sql STABLE
    RETURN (
        SELECT to_json(members)::text
        FROM (
            SELECT
                w.id,
                w.url,
                w.types,
                w.filters,
                w.public_only,
                w.disabled_at IS NULL AS enabled,
                rfc3339(w.disabled_at) AS disabled_at,
                w.disabled_reason,
                rfc3339(w.created_at) AS created_at,
                w.created_by,
                event_id(w.seq) AS after,
                (
                    SELECT count(*)
                    FROM webhook_deliveries AS d
                    WHERE d.webhook_id = w.id AND d.next_attempt_at IS NOT NULL
                ) AS pending,
                w.failures,
                rfc3339(w.failing_since) AS failing_since,
                CASE WHEN is_failing(w.failures) AND w.disabled_at IS NULL THEN rfc3339(w.next_attempt_at) END
                    AS next_attempt_at,
                w.delivered_total,
                w.failed_total,
                CASE WHEN w.previous_secret_until > now() THEN rfc3339(w.previous_secret_until) END
                    AS previous_secret_until
        ) AS members
    );
