-- Returns a ticket as JSON, as clients see it.
-- depends: decision_json, rfc3339
CREATE OR REPLACE FUNCTION ticket_json(t tickets) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"id":"' || t.id
        || '","title":' || to_json(t.title)
        || ',"description":' || to_json(t.description)
        || ',"category":"' || t.category
        || '","priority":"' || t.priority
        || '","status":"' || t.status
        || '","created_at":"' || rfc3339(t.created_at)
        || '","updated_at":"' || rfc3339(t.updated_at)
        || '","version":' || t.version
        || CASE
            WHEN t.suggested_by IS NULL
                THEN ',"triage":{"category":{"source":"caller"},"priority":{"source":"caller"}}}'
            ELSE ',"triage":{"category":'
                || decision_json(t.category::text, t.suggested_category::text, t.category_confidence, t.suggested_by)
                || ',"priority":'
                || decision_json(t.priority::text, t.suggested_priority::text, t.priority_confidence, t.suggested_by)
                || '}}'
        END;
