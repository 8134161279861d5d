-- Returns a delivery as JSON, as clients see it.
-- depends: rfc3339
CREATE OR REPLACE FUNCTION delivery_json(d webhook_deliveries) RETURNS text
    LANGUAGE sql STABLE
    RETURN (
        SELECT to_json(members)::text
        FROM (
            SELECT
                d.id,
                d.event_id,
                d.type,
                d.ticket_id,
                d.state,
                d.attempts,
                rfc3339(d.created_at) AS created_at,
                CASE WHEN d.state = 'pending' THEN rfc3339(d.next_attempt_at) END AS next_attempt_at,
                rfc3339(d.last_attempt_at) AS last_attempt_at,
                d.last_status,
                d.last_error,
                d.last_duration_ms
        ) AS members
    );
