-- Records the authors of training examples that have none, from before authors were recorded: who made the last change
-- of the ticket, or created it.
-- depends: training_labels
CREATE OR REPLACE FUNCTION triage_record_authors() RETURNS void LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO triage_examples (ticket_id, author)
    SELECT t.id, last.author
    FROM tickets AS t
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT h.actor
            FROM ticket_history AS h
            WHERE h.ticket_id = t.id
                AND h.changes ?| ARRAY['title', 'description', 'category', 'priority', 'status']
            ORDER BY h.entry DESC
            LIMIT 1
        ), t.created_by)
    ) AS last (author)
    WHERE (category_label(t) IS NOT NULL OR priority_label(t) IS NOT NULL) AND last.author IS NOT NULL
    ON CONFLICT (ticket_id) DO NOTHING;
END;
