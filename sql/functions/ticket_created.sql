-- Returns the history entry of a ticket's creation, number 0, by undoing all changes since: of each changed field it takes
-- what the first change changed it from. For a ticket that was changed before history was kept it shows the oldest state
-- that is known. One that was deleted and restored by hand is as new: its history before that has no texts. It works on
-- jsonb, not on a row that jsonb_populate_record() makes: with PostgreSQL 18.6 that fails in a function ("pfree called with
-- invalid pointer", or the backend crashes) if a migration adds a column at the same time.
-- depends: decision_json, ticket_diff
CREATE OR REPLACE FUNCTION ticket_created(t tickets) RETURNS ticket_history
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT ROW(
        t.id,
        0,
        coalesce(
            (
                SELECT h.version - 1
                FROM ticket_history AS h
                WHERE h.ticket_id = t.id AND h.entry > life.after_entry
                ORDER BY h.entry
                LIMIT 1
            ),
            t.version
        ),
        t.created_at,
        'created',
        t.created_by,
        t.created_request,
        original.changes - 'triage',
        coalesce(original.changes #>> '{triage,to}', '{"category":'
            || decision_json(
                original.changes -> 'category' ->> 'to', t.suggested_category::text, t.category_confidence, t.suggested_by
            )
            || ',"priority":'
            || decision_json(
                original.changes -> 'priority' ->> 'to', t.suggested_priority::text, t.priority_confidence, t.suggested_by
            )
            || '}'),
        NULL
    )::ticket_history
    FROM (
        SELECT coalesce(max(h.entry), -1) AS after_entry
        FROM ticket_history AS h
        WHERE h.ticket_id = t.id AND h.event = 'deleted'
    ) AS life
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(field.key, field.value || '{"from":null}')
        FROM jsonb_each(ticket_diff(NULL, t) || (
            SELECT coalesce(jsonb_object_agg(
                change.key, jsonb_build_object('from', NULL, 'to', change.value -> 'from') ORDER BY h.entry DESC
            ), '{}')
            FROM ticket_history AS h
            CROSS JOIN LATERAL jsonb_each(h.changes) AS change
            WHERE h.ticket_id = t.id AND h.entry > life.after_entry
        )) AS field
        WHERE field.value -> 'to' NOT IN ('null', '[]', '{}')
    ) AS original (changes);
END;
