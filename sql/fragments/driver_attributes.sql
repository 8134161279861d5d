-- Condition: the ticket `t` has an attribute of the rarest group. Its id is looked up, so that no other ticket is read.
t.id = ANY (ARRAY(
        SELECT head.id
        FROM /* include: facet_combinations */ tickets AS facets
        CROSS JOIN LATERAL (
            SELECT t.id
            FROM ticket_attributes AS t
            WHERE /* include: combination */ true
                AND /* include: created */ true
            OFFSET 0
        ) AS head
    ))
