-- Condition: the ticket `t` has no assignee. Its id is looked up, so that no other ticket is read.
t.id = ANY (ARRAY(
        SELECT head.id
        FROM /* include: facet_combinations */ tickets AS facets
        CROSS JOIN LATERAL (
            SELECT t.id
            FROM tickets AS t
            WHERE /* include: combination */ true
                AND /* include: created */ true
            OFFSET 0
        ) AS head
    ))
