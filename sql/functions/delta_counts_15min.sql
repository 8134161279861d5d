-- Returns what a delta adds to ticket_counts_15min: one row for the creation, one for the resolution if there was
-- one.
CREATE OR REPLACE FUNCTION delta_counts_15min(
    created timestamptz, resolved timestamptz, category ticket_category, priority ticket_priority, tickets integer
) RETURNS SETOF ticket_counts_15min
    LANGUAGE sql IMMUTABLE ROWS 2
BEGIN ATOMIC
    SELECT
        event.interval_start,
        CASE WHEN event.is_creation AND priority = 'low' THEN tickets ELSE 0 END,
        CASE WHEN event.is_creation AND priority = 'medium' THEN tickets ELSE 0 END,
        CASE WHEN event.is_creation AND priority = 'high' THEN tickets ELSE 0 END,
        CASE WHEN event.is_creation AND priority = 'critical' THEN tickets ELSE 0 END,
        CASE WHEN event.is_creation AND category = 'billing' THEN tickets ELSE 0 END,
        CASE WHEN event.is_creation AND category = 'technical' THEN tickets ELSE 0 END,
        CASE WHEN event.is_creation AND category = 'account' THEN tickets ELSE 0 END,
        CASE WHEN event.is_creation AND category = 'general' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.is_creation AND priority = 'low' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.is_creation AND priority = 'medium' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.is_creation AND priority = 'high' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.is_creation AND priority = 'critical' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.is_creation AND category = 'billing' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.is_creation AND category = 'technical' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.is_creation AND category = 'account' THEN tickets ELSE 0 END,
        CASE WHEN NOT event.is_creation AND category = 'general' THEN tickets ELSE 0 END
    FROM (VALUES (created, true), (resolved, false)) AS event (interval_start, is_creation)
    WHERE event.interval_start IS NOT NULL;
END;
