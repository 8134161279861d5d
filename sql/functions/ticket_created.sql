-- Returns the history entry of a ticket's creation, number 0, by undoing all changes since. For a ticket that was
-- changed before history was kept it shows the oldest state that is known.
-- depends: decision_json, ticket_original_value
CREATE OR REPLACE FUNCTION ticket_created(t tickets) RETURNS ticket_history
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT ROW(
        t.id,
        0,
        coalesce(
            (SELECT h.version - 1 FROM ticket_history AS h WHERE h.ticket_id = t.id ORDER BY h.entry LIMIT 1),
            t.version
        ),
        t.created_at,
        'created',
        t.created_by,
        t.created_request,
        jsonb_build_object(
            'title', jsonb_build_object('from', NULL, 'to', original.title),
            'description', jsonb_build_object('from', NULL, 'to', original.description),
            'category', jsonb_build_object('from', NULL, 'to', original.category),
            'priority', jsonb_build_object('from', NULL, 'to', original.priority),
            'status', jsonb_build_object('from', NULL, 'to', original.status)
        ),
        '{"category":'
            || decision_json(original.category, t.suggested_category::text, t.category_confidence, t.suggested_by)
            || ',"priority":'
            || decision_json(original.priority, t.suggested_priority::text, t.priority_confidence, t.suggested_by)
            || '}'
    )::ticket_history
    FROM (
        SELECT
            ticket_original_value(t.id, 'title', t.title) AS title,
            ticket_original_value(t.id, 'description', t.description) AS description,
            ticket_original_value(t.id, 'category', t.category::text) AS category,
            ticket_original_value(t.id, 'priority', t.priority::text) AS priority,
            ticket_original_value(t.id, 'status', t.status::text) AS status
    ) AS original;
END;
