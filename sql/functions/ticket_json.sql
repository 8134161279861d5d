-- Returns a ticket as JSON, as clients see it.
-- depends: decision_json, ticket_fields_json, ticket_people_json
CREATE OR REPLACE FUNCTION ticket_json(t tickets) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ticket_fields_json(t)
        || CASE
            WHEN t.suggested_by IS NULL
                THEN ',"triage":{"category":{"source":"caller"},"priority":{"source":"caller"}}'
            ELSE ',"triage":{"category":'
                || decision_json(t.category::text, t.suggested_category::text, t.category_confidence, t.suggested_by)
                || ',"priority":'
                || decision_json(t.priority::text, t.suggested_priority::text, t.priority_confidence, t.suggested_by)
                || '}'
        END
        || ticket_people_json(t)
        || '}';
