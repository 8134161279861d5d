-- Returns the members of a ticket as JSON, as clients see it, without those of triage. The object is not closed.
-- depends: rfc3339
CREATE OR REPLACE FUNCTION ticket_fields_json(t tickets) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN '{"id":"' || t.id
        || '","title":' || to_json(t.title)
        || ',"description":' || to_json(t.description)
        || ',"category":"' || t.category
        || '","priority":"' || t.priority
        || '","status":"' || t.status
        || '","created_at":"' || rfc3339(t.created_at)
        || '","updated_at":"' || rfc3339(t.updated_at)
        || '","version":' || t.version;
