-- Returns the history entry of a ticket's creation, number 0, by undoing all changes since: of each changed field it takes
-- what the first change changed it from. For a ticket that was changed before history was kept it shows the oldest state
-- that is known.
-- depends: decision_json, ticket_diff
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
        ticket_diff(NULL, original),
        '{"category":'
            || decision_json(
                original.category::text, t.suggested_category::text, t.category_confidence, t.suggested_by
            )
            || ',"priority":'
            || decision_json(
                original.priority::text, t.suggested_priority::text, t.priority_confidence, t.suggested_by
            )
            || '}'
    )::ticket_history
    FROM jsonb_populate_record(t, (
        SELECT coalesce(jsonb_object_agg(change.key, change.value -> 'from' ORDER BY h.entry DESC), '{}')
        FROM ticket_history AS h
        CROSS JOIN LATERAL jsonb_each(h.changes) AS change
        WHERE h.ticket_id = t.id
    )) AS original;
END;
