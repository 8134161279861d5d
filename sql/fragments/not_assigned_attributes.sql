-- Condition: the ticket of the row `t` of ticket_attributes has no assignee, as its other rows say.
NOT EXISTS (
        SELECT
        FROM ticket_attributes AS a
        WHERE a.attribute = 'assigned'
            AND (a.category, a.priority, a.status, a.id) = (t.category, t.priority, t.status, t.id)
        OFFSET 0
    )
