-- Marks these tickets, whose texts are new or have changed, and deletes what is not of the newest 100,000 tickets: a query reads all
-- rows. Does nothing before ticket_signs_begin() has marked any.
CREATE OR REPLACE FUNCTION ticket_signs_mark(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ticket_signs) THEN
        RETURN;
    END IF;
    INSERT INTO ticket_signs (id)
    SELECT t.id FROM tickets AS t WHERE t.id = ANY (ids)
    ON CONFLICT (id) DO UPDATE SET signs = NULL;
    DELETE FROM ticket_signs AS s WHERE s.id = ANY (ids) AND NOT EXISTS (SELECT FROM tickets AS t WHERE t.id = s.id);
    DELETE FROM ticket_signs AS s WHERE s.id <= (SELECT n.id FROM ticket_signs AS n ORDER BY n.id DESC OFFSET 100000 LIMIT 1);
END $$;
