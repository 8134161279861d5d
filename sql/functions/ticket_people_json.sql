-- Returns the members of a ticket that follow `triage` as JSON, as clients see them. They are not the whole object.
-- depends: metadata_json, rfc3339
CREATE OR REPLACE FUNCTION ticket_people_json(t tickets) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ',"requester":' || coalesce(to_json(t.requester)::text, 'null')
        || ',"assignee":' || coalesce(to_json(t.assignee)::text, 'null')
        || ',"tags":' || coalesce(to_json(t.tags)::text, '[]')
        || ',"metadata":' || coalesce(metadata_json(t.metadata), '{}')
        || ',"resolved_at":' || coalesce('"' || rfc3339(t.resolved_at) || '"', 'null')
        || ',"first_response_at":' || coalesce('"' || rfc3339(t.first_response_at) || '"', 'null')
        || ',"duplicate_of":' || coalesce('"' || t.duplicate_of || '"', 'null');
