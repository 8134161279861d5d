-- Returns the fields that differ between two states of a ticket: {field: {"from": value, "to": value}}.
-- depends: field_change
CREATE OR REPLACE FUNCTION ticket_diff(before tickets, after tickets) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN field_change('status', before.status::text, after.status::text)
        || CASE
            WHEN (before.title, before.description, before.category, before.priority)
                IS DISTINCT FROM (after.title, after.description, after.category, after.priority)
                THEN field_change('title', before.title, after.title)
                    || field_change('description', before.description, after.description)
                    || field_change('category', before.category::text, after.category::text)
                    || field_change('priority', before.priority::text, after.priority::text)
            ELSE '{}'
        END
        || CASE
            WHEN (before.requester, before.assignee, before.tags, before.metadata, before.duplicate_of)
                IS DISTINCT FROM (after.requester, after.assignee, after.tags, after.metadata, after.duplicate_of)
                THEN field_change('requester', before.requester, after.requester)
                    || field_change('assignee', before.assignee, after.assignee)
                    || field_change('tags', coalesce(to_jsonb(before.tags), '[]'), coalesce(to_jsonb(after.tags), '[]'))
                    || field_change('metadata', coalesce(before.metadata, '{}'), coalesce(after.metadata, '{}'))
                    || field_change('duplicate_of', before.duplicate_of::text, after.duplicate_of::text)
            ELSE '{}'
        END;
